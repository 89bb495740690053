"""The model card of a detector, from its manifest."""

from __future__ import annotations

from typing import Any

from ...models.manifest import Manifest

COLUMNS = ("positives", "ap50", "ap", "precision", "recall", "f1", "false_per_picture")
HEADS = ("true boxes", "AP50", "AP50-95", "P", "R", "F1", "false / picture")


def detector_card(manifest: Manifest, notes: tuple[str, ...] = ()) -> str:
    """Markdown: what it is, what it learned from, how good it is and where not to trust it."""
    size = manifest.input.get("size")
    lines = [
        f"# {manifest.name} {manifest.version}",
        "",
        "Street objects in camera pictures. ONNX with dynamic batch, height and width; "
        f"best at {size} px on the longer side.",
        "",
        f"- Base: {manifest.base}",
        f"- Licence: {manifest.licence}",
        f"- Made: {manifest.created}",
        f"- Data hash of the training part: `{manifest.data_hash}`",
        "",
        "## Learned from",
        "",
        *[f"- {item}" for item in manifest.data],
        "",
        "## Labels and thresholds",
        "",
        "| label | 中文 | threshold |",
        "|---|---|---|",
        *[
            f"| {label.name} | {label.zh} | {manifest.thresholds[label.name]:.2f} |"
            for label in manifest.labels
        ],
        "",
        "## Figures",
        "",
        "On pictures kept out of training, by scene. P, R, F1 and false boxes at the thresholds "
        "above and IoU 0.5. The thresholds were picked on these same pictures, so P and R are "
        "a little kind.",
    ]
    for name, part in manifest.metrics.items():
        lines += ["", f"### {name}: {part['pictures']} pictures", "", *_table(part["per_class"])]
    lines += ["", "## Read this before trusting it", "", *[f"- {note}" for note in notes]]
    return "\n".join(lines) + "\n"


def _table(per_class: dict[str, dict[str, Any]]) -> list[str]:
    rows = ["| label | " + " | ".join(HEADS) + " |", "|---|" + "---|" * len(HEADS)]
    for name, found in per_class.items():
        if found["positives"] or found["false_per_picture"]:
            rows.append(f"| {name} | " + " | ".join(_cell(found[c]) for c in COLUMNS) + " |")
    return rows


def _cell(value: float | int | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
