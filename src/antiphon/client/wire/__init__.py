"""Facts as JSON values: what the native API sends, and what a remote client reads back into the same facts."""
