"""What runs in a vendor's own environment: the standard library and that vendor's SDK, nothing of Antiphon."""
