"""The command line: one file a command group, over the same client that users import."""
