"""The sets this project trains on, read into the detector's own labels."""

from __future__ import annotations

from pathlib import Path

from .labels import BINS_NAMES, COCO_NAMES, COCO_SUBSET, DETECTOR_LABELS
from .table import Table, relabel
from .yolo import read_yolo


def read_bins(folder: Path) -> Table:
    """Chinese street pictures of bins and rubbish; people and vehicles in them are not labelled.

    Raises:
        DatasetError: see `read_yolo`.
    """
    return relabel(read_yolo(folder, source="bins"), BINS_NAMES, DETECTOR_LABELS)


def read_coco_subset(folder: Path) -> Table:
    """COCO pictures in YOLO form (80 classes, COCO order); only the traffic classes are kept.

    Raises:
        DatasetError: see `read_yolo`.
    """
    return relabel(read_yolo(folder, COCO_NAMES, source="coco"), COCO_SUBSET, DETECTOR_LABELS)


def read_stills(folder: Path, source: str = "stills") -> Table:
    """Rendered street stills, labelled in the detector's own order.

    Raises:
        DatasetError: see `read_yolo`.
    """
    return read_yolo(folder, DETECTOR_LABELS, source=source)
