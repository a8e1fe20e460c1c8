"""Discord on loopback: gateway and REST as the real discord.py meets them on the wire."""
