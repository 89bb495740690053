"""One rule per file, registered by name."""
