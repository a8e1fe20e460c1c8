"""Trains the model that ships, from open emoji art: `make train`. Its page is README.md here."""
