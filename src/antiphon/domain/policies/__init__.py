"""The rules by which a queue decides: pure functions, without I/O and without a clock of their own."""
