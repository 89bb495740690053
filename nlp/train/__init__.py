"""Training of the router; needs the `train` extra."""
