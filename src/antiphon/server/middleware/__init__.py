"""What stands around every request, as plain ASGI: ids, sizes, deadlines, headers, the log line."""
