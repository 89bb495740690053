"""Versions of the tests' detector, and gates for them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from xiaozheng.models.manifest import read_manifest, write_manifest

COLOURS = Path(__file__).parent.parent / "fixtures" / "shelf" / "colours" / "1.0.0"
# Version → AP50, false boxes a picture; 1.3.0 has lost one of its figures.
FIGURES: dict[str, dict[str, float]] = {
    "1.0.0": {"ap50": 0.80, "false": 0.02},
    "1.1.0": {"ap50": 0.85, "false": 0.03},
    "1.2.0": {"ap50": 0.75, "false": 0.02},
    "1.3.0": {"ap50": 0.90},
}
GATES = """\
models:
  colours:
    measured_on: [street.pictures]
    metrics:
      - { path: street.bin.ap50, title: 垃圾桶, max_loss: 0.02, bound: 0.6 }
      - { path: street.bin.false, title: 误报, better: lower, max_loss: 0.01, bound: 0.05 }
"""


def make_version(folder: Path, version: str, **changes: Any) -> Path:
    """A copy of the tests' detector under another version, its manifest changed."""
    shutil.copytree(COLOURS, folder)
    manifest = read_manifest(folder).model_copy(update={"version": version, **changes})
    write_manifest(folder, manifest)
    return folder
