"""HTTP doors: one file per door."""
