"""Frames in, incidents out: detection, tracking, zones and dwell on media time."""
