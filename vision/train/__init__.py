"""The detector's workshop: teacher labels, recipe, export, measuring. Needs the `train` extra."""
