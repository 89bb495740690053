"""The suite file beside the clips: cameras, zones and truth, written from the descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .choreography import Clip, zone_polygon

_HEAD = (
    "# Written by `python -m xiaozheng.datasets.scenes suite`; polygons are normalised to 0–1.\n"
)


def suite_data(clips: Sequence[Clip]) -> dict[str, Any]:
    """The suite as plain data."""
    return {"clips": [_entry(clip) for clip in clips]}


def _entry(clip: Clip) -> dict[str, Any]:
    zones = [
        {
            "id": z.id,
            "name": z.name,
            "polygon": zone_polygon(clip.scene.camera, z),
            "forbids": list(z.forbids),
            "dwell_s": z.dwell_s,
        }
        for z in clip.zones
    ]
    truth: list[dict[str, Any]] = [
        {"kind": h.kind, "zone": h.zone, "start_s": h.start_s}
        | ({} if h.end_s is None else {"end_s": h.end_s})
        for h in clip.truth
    ]
    return {
        "file": f"clips/{clip.name}.mp4",
        "camera": {"id": clip.camera_id, "name": clip.camera_name, "zones": zones},
        "truth": truth,
    }


def write_suite(clips: Sequence[Clip], path: Path) -> None:
    """Write suite.yaml."""
    text = yaml.safe_dump(
        suite_data(clips), allow_unicode=True, sort_keys=False, width=100, default_flow_style=None
    )
    path.write_text(_HEAD + text, encoding="utf-8")
