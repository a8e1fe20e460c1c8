"""The local web page: a chat for one computer, and for a class in the same wifi."""
