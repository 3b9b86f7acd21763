"""The server: the engine behind HTTP, for many clients and several workspaces."""
