"""Emulated devices that live: a queue with other tenants, calibrations and drift, outages and mishaps, on the clock."""
