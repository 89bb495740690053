"""The events benchmark as a page for the eye."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..vision.kinds import Kinds
from .events import EventScore
from .events_clips import Still
from .report import Page, Shot, Tile, number, percent

MAX_CLIPS = 200
MAX_PICTURES = 40
PART_ZH = {"dense": "密集街道", "ordinary": "平常街道"}
MOMENT_ZH = {"before": "之前", "at": "立案", "after": "结束", "missed": "漏报"}
COLUMNS = (
    "",
    "准确率",
    "召回率",
    "F1",
    "起点误差秒",
    "10秒内者",
    "P95秒",
    "报告/事件",
    "断裂",
    "误报/机日",
    "事件",
    "漏报",
    "误报",
)


def row(figures: Mapping[str, Any]) -> list[str]:
    """One line of the figures table, without its name."""
    return [
        percent(figures["precision"]),
        percent(figures["recall"]),
        number(figures["f1"], 4),
        number(figures["onset_rmse_s"], 2),
        number(figures["onset_rmse_within_10s"], 2),
        number(figures["onset_error_p95_s"], 1),
        number(figures["duplicates_per_event"], 3),
        number(figures["fragmentation"], 3),
        number(figures["false_alarms_per_camera_day"], 3),
        str(figures["events"]),
        str(figures["misses"]),
        str(figures["false_alarms"]),
    ]


def rows(figures: Mapping[str, Any], kinds: Kinds) -> list[tuple[str, ...]]:
    """Kinds, sampling rates and parts where known, and the whole."""
    names = {kind.id: f"{kind.zh} {kind.code}" for kind in kinds.kinds}
    table = [(names.get(k, k), *row(part)) for k, part in figures["per_kind"].items()]
    table += [(f"{fps} 帧/秒", *row(part)) for fps, part in figures.get("per_fps", {}).items()]
    table += [(PART_ZH[name], *row(part)) for name, part in figures.get("parts", {}).items()]
    return [*table, ("全部", *row(figures))]


def events_page(
    figures: Mapping[str, Any],
    score: EventScore,
    kinds: Kinds,
    title: str,
    stills: Sequence[Still] = (),
) -> Page:
    """Key figures, per kind, per clip, what went wrong, and the incidents' pictures."""
    page = Page("事件评测", title)
    interval = figures["interval_95"]["f1"]
    shown = "" if interval is None else f"95% 区间 {interval[0]:.3f}–{interval[1]:.3f}"
    page.tiles(
        Tile("F1", number(figures["f1"], 4), shown),
        Tile("准确率", percent(figures["precision"])),
        Tile("召回率", percent(figures["recall"])),
        Tile("起点误差（均方根）", f"{number(figures['onset_rmse_s'], 2)} 秒", "情况开始的时刻"),
        Tile("每事件报告数", number(figures["duplicates_per_event"], 3), "理想为 1"),
        Tile("误报/摄像机·日", number(figures["false_alarms_per_camera_day"], 3)),
        *_ordinary_tile(figures.get("parts", {})),
    )
    page.table("按类型", COLUMNS, rows(figures, kinds))
    for title, key in (("引擎开销", "engine"), ("核对项", "checks")):
        if key in figures:
            page.table(title, ("项目", "结果"), list(flat(figures[key])))
    clips = list(figures["per_clip"].items())
    wrong_first = sorted(clips, key=lambda c: -(c[1]["misses"] + c[1]["false_alarms"]))
    page.table(
        "按片段",
        COLUMNS,
        [(name, *row(part)) for name, part in wrong_first[:MAX_CLIPS]],
        note=f"共 {len(clips)} 段，错误多的在前"
        + ("。" if len(clips) <= MAX_CLIPS else "，其余略。"),
    )
    page.table(
        "漏报与误报",
        ("片段", "错误", "类型", "区域", "起（秒）", "止（秒）"),
        list(_mistakes(score))[:MAX_CLIPS],
    )
    if stills:
        names = {kind.id: kind.zh for kind in kinds.kinds}
        page.pictures(
            "事件画面",
            [
                Shot(s.jpeg, f"{s.clip} {names[s.kind]} {MOMENT_ZH[s.moment]} {s.at_s:.1f} 秒")
                for s in stills[:MAX_PICTURES]
            ],
        )
    return page


def _ordinary_tile(parts: Mapping[str, Mapping[str, Any]]) -> Iterable[Tile]:
    """False alarms where the aim is judged: in ordinary streets."""
    if "ordinary" in parts:
        rate = parts["ordinary"]["false_alarms_per_camera_day"]
        low, high = parts["ordinary"]["false_alarms_per_camera_day_95"]
        yield Tile("误报/摄像机·日，平常街道", number(rate, 3), f"95% 区间 {low:.3f}–{high:.3f}")


def _mistakes(score: EventScore) -> Iterable[tuple[str, ...]]:
    for name, judgement in score.judgements.items():
        for event in judgement.missed:
            yield name, "漏报", event.kind, event.zone, f"{event.start_s:.1f}", f"{event.end_s:.1f}"
        for extra in judgement.extra:
            yield name, "误报", extra.kind, extra.zone, f"{extra.onset_s:.1f}", f"{extra.end_s:.1f}"


def flat(checks: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested figures as lines: dotted name and value."""
    for key, value in checks.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, f"{value:.4g}" if isinstance(value, float) else str(value)
