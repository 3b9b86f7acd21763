"""The connection to a server: the same calls as the embedded one, over HTTP."""
