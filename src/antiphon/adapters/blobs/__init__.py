"""Blob stores: large immutable values by the hash of their content."""
