"""One module for each simulator engine; each imports its package only when it runs."""
