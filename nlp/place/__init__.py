"""Places in calls: found by a small tagger, resolved against a city's own data."""
