"""Executors: inline in the calling thread, and warm worker processes with limits."""
