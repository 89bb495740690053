"""Draws the timeline pictures of docs/incidents.md: `python docs/img/incident_timeline.py`."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
WIDTH, LEFT, ROW = 860, 130, 34
COLOURS = {
    "seen": "#2f7d4f",
    "covered": "#8aa0b4",
    "empty": "#f0d9a8",
    "missed": "#d9cf9f",
    "suspected": "#e3a008",
    "open": "#c0392b",
    "ended": "#9aa5b1",
}
Span = tuple[float, float, str, str]
Mark = tuple[float, float, str]


def timeline(
    title: str, rows: list[tuple[str, list[Span]]], marks: list[tuple[float, str]], last_s: float
) -> str:
    """Rows of coloured spans over seconds, and named moments below them."""
    scale = (WIDTH - LEFT - 20) / last_s
    height = 60 + ROW * len(rows) + 22 * len(marks)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="bold">{title}</text>',
    ]
    for k, (name, spans) in enumerate(rows):
        y = 38 + ROW * k
        parts.append(f'<text x="12" y="{y + 18}">{name}</text>')
        for begin, end, kind, text in spans:
            x, width = LEFT + begin * scale, (end - begin) * scale
            ink = "#ffffff" if kind in {"seen", "open"} else "#222222"
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="26" rx="3" '
                f'fill="{COLOURS[kind]}"/>'
                f'<text x="{x + 6:.1f}" y="{y + 18}" fill="{ink}">{text}</text>'
            )
    floor = 38 + ROW * len(rows)
    for k, (at_s, text) in enumerate(marks):
        x, y = LEFT + at_s * scale, floor + 16 + 22 * k
        right = x > WIDTH * 0.6
        anchor, dx = ("end", -6) if right else ("start", 6)
        parts.append(
            f'<line x1="{x:.1f}" y1="36" x2="{x:.1f}" y2="{y}" stroke="#222" '
            f'stroke-dasharray="3 3"/>'
            f'<text x="{x + dx:.1f}" y="{y + 4}" text-anchor="{anchor}">{text}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


LIFE = timeline(
    "One parked car, dwell_s 60, end_after_s 20, cooldown_s 60",
    [
        (
            "its place is",
            [
                (20, 60, "seen", "seen"),
                (60, 85, "covered", "bus"),
                (85, 170, "seen", "seen"),
                (170, 180, "missed", ""),
                (180, 230, "seen", "seen"),
                (230, 300, "empty", "empty"),
            ],
        ),
        (
            "incident",
            [
                (30, 95, "suspected", "suspected"),
                (95, 250, "open", "open"),
                (250, 300, "ended", "ended"),
            ],
        ),
    ],
    [
        (20, "onset_at: it came to rest"),
        (95, "opened_at: 60 s credited, of 25 s behind the bus only 10 s (max_gap_credit_s)"),
        (230, "ended_at: last seen here"),
        (250, "decided here, after end_after_s"),
    ],
    300,
)
LEAN = timeline(
    "A bin: one misreading is forgotten, the onset is where the evidence left 0",
    [
        (
            "read as",
            [
                (0, 40, "covered", "bin"),
                (40, 45, "open", ""),
                (45, 90, "covered", "bin"),
                (90, 150, "open", "overflowing"),
                (150, 155, "covered", ""),
                (155, 220, "open", "overflowing"),
                (220, 300, "covered", "bin"),
            ],
        ),
        (
            "holds",
            [(102, 230, "seen", "evidence above the bar")],
        ),
    ],
    [
        (90, "onset_at: last time the evidence was 0"),
        (220, "ended_at: last read as overflowing"),
        (250, "decided here: not holding for end_after_s"),
    ],
    300,
)
RETURN = timeline(
    "Back after an absence: the same car, or the next one?",
    [
        (
            "its place is",
            [
                (0, 110, "seen", "car A"),
                (110, 150, "empty", "empty"),
                (150, 165, "missed", "trial"),
                (165, 300, "seen", "car A or car B"),
            ],
        ),
        (
            "if the same",
            [
                (0, 130, "open", "open"),
                (130, 165, "ended", ""),
                (165, 300, "open", "open, same id"),
            ],
        ),
        (
            "if another",
            [(0, 130, "open", "open"), (130, 300, "ended", "ended")],
        ),
        ("", [(175, 300, "suspected", "suspected, its onset at the first trial box")]),
    ],
    [
        (110, "last seen"),
        (150, "first box again: on trial until 3 boxes and 2 s"),
    ],
    300,
)
HEALTH = timeline(
    "A covered lens, black_s 10, recover_s 5",
    [
        (
            "picture",
            [(0, 20, "seen", "street"), (20, 60, "missed", "black"), (60, 100, "seen", "street")],
        ),
        ("fault", [(30, 65, "open", "camera_black")]),
        (
            "zones",
            [
                (0, 20, "seen", "watched"),
                (20, 65, "ended", "suspended: nothing opens"),
                (65, 100, "seen", "watched"),
            ],
        ),
    ],
    [
        (20, "began_at: first black picture; kept from the rules at once"),
        (30, "noticed_at: reported after black_s"),
        (65, "ended_at: well for recover_s"),
    ],
    100,
)
CLIP = timeline(
    "What is kept of one incident, evidence_clip: true",
    [
        ("frames", [(0, 100, "covered", "as they come; the last 30 s are remembered")]),
        (
            "incident",
            [
                (25, 45, "suspected", "suspected"),
                (45, 90, "open", "open"),
                (90, 100, "ended", "ended"),
            ],
        ),
        ("clip", [(40, 50, "open", "10 s")]),
    ],
    [
        (13, "before: 2 s before onset_at, which is at 15 s"),
        (45, "at: opened_at; the clip runs from 5 s before to 5 s after"),
        (90, "after: found over"),
    ],
    100,
)
PICTURES = {"life": LIFE, "evidence": LEAN, "return": RETURN, "health": HEALTH, "clip": CLIP}


if __name__ == "__main__":
    for name, text in PICTURES.items():
        (HERE / f"incident_{name}.svg").write_text(text, encoding="utf-8")
