"""Each miss, false alarm and wrong onset of a trace run: a slice of the trace, a timeline (SVG)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from ...datasets.labels import DETECTOR_LABELS
from ..events import Judgement, Report, TrueEvent
from .clip import TraceClip
from .view import HEIGHT_PX, WIDTH_PX, Floats

MARGIN_S = 60.0
# A hit whose onset is this far out is shown too.
ONSET_S = 10.0
MAX_SLICE_S = 1800.0
LANE_PX, LEFT_PX, CHART_PX = 16, 150, 1050
COLOURS = dict(
    zip(
        DETECTOR_LABELS,
        ("#d4a017", "#7a7", "#585", "#06c", "#0aa", "#609", "#2a2", "#d22", "#854", "#e57"),
        strict=True,
    )
)


def any_failure(judgement: Judgement) -> bool:
    """Whether there is anything to show of a clip."""
    return bool(_cases(judgement))


def write_failures(
    folder: Path, clip: TraceClip, judgement: Judgement, reports: Iterable[Report]
) -> list[Path]:
    """Files of one clip's failures; returns the timelines."""
    folder.mkdir(parents=True, exist_ok=True)
    told = list(reports)
    written: list[Path] = []
    for number, (what, case) in enumerate(_cases(judgement)):
        path = folder / f"{clip.name}-{number:02d}-{what}-{case.kind}.svg"
        span = _span(case, clip.duration_s)
        rows = _rows(clip, case, span)
        path.write_text(_timeline(clip, what, case, told, span, rows), encoding="utf-8")
        path.with_suffix(".json").write_text(_slice(clip, what, case, span, rows), encoding="utf-8")
        written.append(path)
    return written


def _cases(judgement: Judgement) -> list[tuple[str, TrueEvent | Report]]:
    late = [match.event for match in judgement.matches if abs(match.onset_error_s) > ONSET_S]
    return [
        *(("miss", event) for event in judgement.missed),
        *(("false-alarm", report) for report in judgement.extra),
        *(("onset", event) for event in late),
    ]


def _span(case: TrueEvent | Report, duration_s: float) -> tuple[float, float]:
    begin = case.start_s if isinstance(case, TrueEvent) else case.onset_s
    low = max(0.0, begin - MARGIN_S)
    return low, min(case.end_s + MARGIN_S, duration_s, low + MAX_SLICE_S)


def _rows(clip: TraceClip, case: TrueEvent | Report, span: tuple[float, float]) -> Floats:
    """Boxes near the case's place: frame time, thing, class, score, then the box in 0–1."""
    seen = clip.sightings
    frame_of = np.repeat(np.arange(len(clip.times_s)), np.diff(seen.first))
    t = clip.times_s[frame_of]
    boxes = seen.xyxy.astype(np.float64) / [WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX]
    near = (t >= span[0]) & (t <= span[1])
    if case.box is not None:
        x1, y1, x2, y2 = case.box
        grow_x, grow_y = 0.3 * (x2 - x1), 0.3 * (y2 - y1)
        near &= (boxes[:, 2] > x1 - grow_x) & (boxes[:, 0] < x2 + grow_x)
        near &= (boxes[:, 3] > y1 - grow_y) & (boxes[:, 1] < y2 + grow_y)
    columns = [t, seen.thing, seen.class_id, seen.score, *boxes.T]
    return np.stack([np.asarray(column, dtype=np.float64)[near] for column in columns], axis=1)


def _slice(
    clip: TraceClip,
    what: str,
    case: TrueEvent | Report,
    span: tuple[float, float],
    rows: Floats,
) -> str:
    return json.dumps(
        {
            "clip": clip.name,
            "what": what,
            "case": asdict(case),
            "nights": clip.nights,
            "span_s": span,
            "camera": clip.camera.model_dump(mode="json"),
            "columns": ["t", "thing", "label", "score", "x1", "y1", "x2", "y2"],
            "boxes": [
                [
                    round(r[0], 2),
                    int(r[1]),
                    DETECTOR_LABELS[int(r[2])],
                    *(round(v, 3) for v in r[3:]),
                ]
                for r in rows.tolist()
            ],
        },
        ensure_ascii=False,
    )


def _timeline(
    clip: TraceClip,
    what: str,
    case: TrueEvent | Report,
    reports: list[Report],
    span: tuple[float, float],
    rows: Floats,
) -> str:
    begin, end = span
    scale = CHART_PX / max(end - begin, 1.0)
    things = sorted({int(n) for n in rows[:, 1]}, key=lambda n: rows[rows[:, 1] == n, 0].min())
    parts: list[str] = []
    y = 40

    def bar(name: str, from_s: float, to_s: float, colour: str) -> None:
        nonlocal y
        x1 = LEFT_PX + (max(from_s, begin) - begin) * scale
        width = max((min(to_s, end) - max(from_s, begin)) * scale, 1)
        parts.append(f'<text x="4" y="{y + 11}">{escape(name)}</text>')
        parts.append(f'<rect x="{x1:.1f}" y="{y + 2}" width="{width:.1f}" height="10" '
                     f'fill="{colour}"/>')  # fmt: skip
        y += LANE_PX

    for event in clip.truth:
        if event.kind == case.kind and event.end_s > begin and event.start_s < end:
            name, colour = ("optional", "#bda") if event.optional else ("truth", "#2b2")
            bar(f"{name} {event.zone}", event.start_s, event.end_s, colour)
    for report in reports:
        if report.kind == case.kind and report.end_s > begin and report.onset_s < end:
            bar(f"report {report.id[:6]}", report.onset_s, report.end_s, "#d33")
    for thing in things:
        mine = rows[rows[:, 1] == thing]
        names = {DETECTOR_LABELS[int(c)] for c in mine[:, 2]}
        label = escape(f"#{thing} {'/'.join(sorted(names))}")
        parts.append(f'<text x="4" y="{y + 11}">{label}</text>')
        for t, _, class_id, score, *_ in mine.tolist():
            x = LEFT_PX + (t - begin) * scale
            height = 2 + 10 * score
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 13 - height:.1f}" width="1.5" height="{height:.1f}" '
                f'fill="{COLOURS[DETECTOR_LABELS[int(class_id)]]}"/>'
            )
        y += LANE_PX
    for tick in np.linspace(begin, end, 11):
        x = LEFT_PX + (tick - begin) * scale
        parts.append(f'<path d="M{x:.1f} 34V{y}" stroke="#ccc"/>')
        parts.append(f'<text x="{x - 12:.1f}" y="32">{tick:.0f}</text>')
    dark = any(a <= begin + MARGIN_S < b for a, b in clip.nights)
    title = f"{what}: {case.kind} in {clip.name}, seconds{' (night)' if dark else ''}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT_PX + CHART_PX + 20}" '
        f'height="{y + 12}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="4" y="14">{escape(title)}</text>'
        + "".join(parts)
        + "</svg>"
    )
