"""Implementations of the ports; none imports a sibling, none knows the engine."""
