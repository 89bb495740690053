"""Benchmarks: how good the detector, the events, the router and the service are."""
