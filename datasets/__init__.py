"""What models learn from: readers, writers, splits and the street-scene renderer."""
