"""Target drivers, one folder a provider."""
