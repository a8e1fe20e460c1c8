"""The terminal: a command line becomes a call, answered by whoever owns the data folder.

`words` and `client` and `screen` are this user's side, `service` is the owner's. The first ones
import nothing that the owner alone needs: a handed-over command line shall be quick.
"""
