"""Street scenes as plain values, rendered with Blender into labelled stills and event clips."""
