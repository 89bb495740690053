"""One report for every benchmark: figures as JSON, and a page that needs nothing but itself.

    page = Page("事件评测", "8 段视频")
    page.tiles(Tile("F1", "97.1%", "目标 ≥ 95%", good=True))
    page.charts("曲线", line_chart("准确率与召回率", [Line("违停", points)]))
    page.table("逐段", ("视频", "命中"), rows)
    page.pictures("最严重的错误", [Shot(jpeg, "误报：满溢垃圾桶 0.83")])
    write_report({"f1": 0.971}, page, json_path, html_path, kind="events", made=now)

Pictures travel inside as `data:` URIs and charts as inline SVG: the file can be mailed.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from ..config.errors import InputError
from .report_style import STYLE
from .report_svg import Bar, Line, bar_chart, line_chart

__all__ = [
    "Bar",
    "Line",
    "Page",
    "Shot",
    "Tile",
    "bar_chart",
    "line_chart",
    "number",
    "percent",
    "plain",
    "write_report",
]

Cell = str | int | float | None
_NUMBER = ' class="number"'
DEEPEST = 75
"""Per cent of the accent colour in the deepest cell; more would hide the digits."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One key figure. `good` colours it; None leaves it plain."""

    name: str
    value: str
    hint: str = ""
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture (JPEG, PNG or WebP bytes) and what it shows."""

    data: bytes
    caption: str


class Page:
    """An HTML page that grows from top to bottom."""

    def __init__(self, title: str, subtitle: str = "") -> None:
        self.title = title
        self._parts = [f"<h1>{escape(title)}</h1>"]
        if subtitle:
            self._parts.append(f'<p class="subtitle">{escape(subtitle)}</p>')

    def text(self, text: str) -> None:
        """A paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def tiles(self, *tiles: Tile) -> None:
        """Key figures in a row."""
        css = {True: " good", False: " bad", None: ""}
        shown = "".join(
            f'<div class="tile{css[tile.good]}"><span>{escape(tile.name)}</span>'
            f"<b>{escape(tile.value)}</b><small>{escape(tile.hint)}</small></div>"
            for tile in tiles
        )
        self._parts.append(f'<section class="tiles">{shown}</section>')

    def charts(self, title: str, *charts: str, note: str = "") -> None:
        """Charts made by `line_chart` and `bar_chart`, side by side where there is room."""
        self._section(title, f'<div class="charts">{"".join(charts)}</div>', note)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = ""
    ) -> None:
        """Columns of numbers stand to the right, others to the left; None becomes a dash."""
        numeric = [all(_is_figure(row[i]) for row in rows) for i in range(len(columns))]
        head = "".join(map(_head, columns, numeric))
        body = "".join(f"<tr>{''.join(map(_cell, row, numeric))}</tr>" for row in rows)
        inside = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        self._section(title, f'<div class="wide">{inside}</div>', note)

    def matrix(
        self,
        title: str,
        row_names: Sequence[str],
        column_names: Sequence[str],
        counts: Sequence[Sequence[int]],
        note: str = "",
    ) -> None:
        """Counts as a table; the deeper a cell's tint, the larger its share of the row."""
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in column_names)
        body = ""
        for name, row in zip(row_names, counts, strict=True):
            whole = sum(row) or 1
            cells = "".join(
                f'<td class="number" style="--share:{DEEPEST * n / whole:.0f}%">{n or "·"}</td>'
                for n in row
            )
            body += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'
        inside = f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody>"
        self._section(
            title, f'<div class="wide"><table class="matrix">{inside}</table></div>', note
        )

    def pictures(self, title: str, shots: Sequence[Shot], note: str = "") -> None:
        """A grid of pictures with captions."""
        shown = "".join(
            f'<figure><img alt="{escape(shot.caption)}" src="{_uri(shot.data)}">'
            f"<figcaption>{escape(shot.caption)}</figcaption></figure>"
            for shot in shots
        )
        self._section(title, f'<div class="pictures">{shown}</div>', note)

    def html(self) -> str:
        """The whole document."""
        return (
            '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{STYLE}</style></head>\n"
            f"<body><main>{''.join(self._parts)}</main></body></html>\n"
        )

    def _section(self, title: str, inside: str, note: str) -> None:
        shown = f'<p class="note">{escape(note)}</p>' if note else ""
        self._parts.append(f"<section><h2>{escape(title)}</h2>{shown}{inside}</section>")


def percent(value: float | None, digits: int = 1) -> str:
    """`83.2%`; a dash for what is not known."""
    return "—" if value is None or math.isnan(value) else f"{100 * value:.{digits}f}%"


def number(value: float | None, digits: int = 3) -> str:
    """`0.832`; a dash for what is not known."""
    return "—" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def plain(value: Any, digits: int = 4) -> Any:
    """As JSON can say it: floats rounded, NaN and infinity null, tuples as lists."""
    if isinstance(value, float):
        return round(value, digits) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner, digits) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, digits) for inner in value]
    return value


def write_report(
    figures: Mapping[str, Any],
    page: Page,
    json_path: Path,
    html_path: Path | None = None,
    *,
    kind: str,
    made: datetime,
) -> None:
    """Write the figures and, when asked for, the page; each file appears whole or not at all.

    Args:
        figures: the benchmark's own keys; they stand at the top level of the JSON document.
        page: the same for the eye.
        json_path: missing folders are made.
        html_path: None leaves the page unwritten.
        kind: which benchmark (`detector`, `events`, …), kept under `report`.
        made: time of the measurement, kept under `made`.

    Raises:
        InputError: a file cannot be written (no right, no room); the text names it.
    """
    document = {"report": kind, "made": made.isoformat(timespec="seconds"), **plain(figures)}
    _write(json_path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    if html_path is not None:
        _write(html_path, page.html())


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path}: cannot be written: {reason}", message_zh=f"无法写入 {path}：{reason}"
        ) from None


def _head(name: str, numeric: bool) -> str:
    return f'<th scope="col"{_NUMBER if numeric else ""}>{escape(name)}</th>'


def _cell(value: Cell, numeric: bool) -> str:
    shown = "—" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return f"<td{_NUMBER if numeric else ''}>{escape(shown)}</td>"


def _is_figure(value: Cell) -> bool:
    """Whether a cell holds a number, a formatted one (`83.2%`, `−0.4`, `12 ms`) or a dash."""
    text = value if isinstance(value, str) else "0"
    return text == "—" or text.lstrip("-−+≥≤ ")[:1].isdigit()


def _uri(data: bytes) -> str:
    known = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"RI": "webp"}
    return f"data:image/{known.get(data[:2], 'jpeg')};base64,{base64.b64encode(data).decode()}"
