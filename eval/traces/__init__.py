"""Simulated camera-hours: what a detector would say of a street whose truth is known."""
