"""Telemetry: what happens to jobs, as other systems read it."""
