"""Training curves as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

PANELS = (
    ("loss", ("train/box_loss", "train/cls_loss", "train/dfl_loss")),
    ("loss on validation", ("val/box_loss", "val/cls_loss", "val/dfl_loss")),
    ("validation", ("metrics/mAP50(B)", "metrics/mAP50-95(B)")),
    ("precision, recall", ("metrics/precision(B)", "metrics/recall(B)")),
)


def draw_curves(results: Path, target: Path) -> Path:
    """Draw Ultralytics' `results.csv` (one row per epoch) as a PNG of four panels."""
    from matplotlib.figure import Figure  # comes with ultralytics; not needed elsewhere

    with results.open(encoding="utf-8", newline="") as stream:
        rows = [{k.strip(): v for k, v in row.items()} for row in csv.DictReader(stream)]
    epochs = [int(float(row["epoch"])) for row in rows]
    figure = Figure(figsize=(10, 6), layout="constrained")
    for place, (title, columns) in enumerate(PANELS, start=1):
        axes = figure.add_subplot(2, 2, place, title=title)
        for column in columns:
            if rows and column in rows[0]:
                axes.plot(epochs, [float(r[column]) for r in rows], marker=".", label=column)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(target, dpi=110)
    return target
