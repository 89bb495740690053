"""The router's report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .report import Bar, Line, Page, Tile, bar_chart, line_chart, number, percent
from .router import PRECISION, worst_mistakes
from .router_run import Run

MAX_TEXT = 160
MIXED_UP = 15
VERDICT_ZH = {"auto": "自动派单", "suggest": "建议", "human": "转人工"}
READER_ZH = {"3": "3 有把握", "2": "2 较可能", "1": "1 难分"}
FIELD_ZH = {"department": "承办部门", "category": "一级类别"}


def router_page(run: Run, found: Mapping[str, Any], made: datetime, mistakes: int) -> Page:
    """Key figures, calibration, risk and coverage, decisions, classes, confusion, mistakes.

    Args:
        run: answers with masked texts.
        found: their figures, with `field`, `model`, `data` and `noise`.
        made: when.
        mistakes: how many to show at most.
    """
    noise = f" · 噪声 {found['noise']}" if found["noise"] else ""
    page = Page(
        f"派单评测 · {FIELD_ZH[found['field']]}",
        f"{found['model']} · {found['data']} · {found['n']} 条{noise} · {made:%Y-%m-%d %H:%M} UTC",
    )
    page.tiles(*_tiles(found))
    page.charts("把握与风险", *_curves(found), note=_curve_note(found))
    if "decisions" in found:
        _decisions(page, found["decisions"])
    if "per_reader_confidence" in found:
        page.table(
            "按标注者的把握",
            ("把握", "条数", "首选正确", "前三命中", "宏平均 F1", "ECE", "可自动派单（97%）"),
            [
                (READER_ZH.get(level, level), part["n"], *_key_cells(part))
                for level, part in sorted(found["per_reader_confidence"].items(), reverse=True)
            ],
        )
    _classes(page, run, found)
    _mixed_up(page, run, found)
    _confusion(page, run, found)
    _mistakes(page, run, mistakes)
    return page


def _key_cells(part: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        percent(part["top1"]),
        percent(part["top3"]),
        number(part["macro_f1"]),
        number(part["ece"]),
        percent(part["auto_share_at_97"]),
    )


def _tiles(found: Mapping[str, Any]) -> list[Tile]:
    low, high = found["interval_95"]["top1"]
    auto = found["auto_at_97"]
    auto_low, auto_high = auto["share_interval_95"]
    fitted = auto["cross_fitted"]
    tiles = [
        Tile("首选正确", percent(found["top1"]), f"95% 区间 {100 * low:.1f}–{100 * high:.1f}"),
        Tile("前三命中", percent(found["top3"])),
        Tile("宏平均 F1", number(found["macro_f1"])),
        Tile(
            "校准误差 ECE",
            number(found["ece"]),
            f"15 档；完全准确时约 {number(found['ece_if_perfect'])}",
        ),
        Tile(
            "97% 准确率下可自动",
            percent(auto["share"]),
            f"区间 {100 * auto_low:.0f}–{100 * auto_high:.0f}；在同一批数据上选线",
        ),
        Tile(
            "另一半上选线",
            percent(fitted["share"]),
            f"实得准确率 {percent(fitted['precision'])}",
        ),
    ]
    if "decisions" in found:
        real = found["decisions"]
        hint = f"准确率 {percent(real['auto_precision'])}"
        tiles.append(Tile("实际自动派单", percent(real["auto_share"]), hint))
    return tiles


def _curves(found: Mapping[str, Any]) -> list[str]:
    bins = found["reliability"]
    points = [(part["confidence"], part["accuracy"]) for part in bins]
    curve = [(part["coverage"], part["risk"]) for part in found["risk_coverage"]]
    share = found["auto_at_97"]["share"]
    marks = [(share, 1 - PRECISION, f"97% 准确率：{share:.1%}")] if share else []
    most = max((risk for _, risk in curve), default=0.0)
    return [
        line_chart(
            "可靠性图",
            [Line("首选", points, dots=True)],
            x_label="给出的概率",
            y_label="实际正确率",
            x_range=(0, 1),
            y_range=(0, 1),
            diagonal=True,
        ),
        line_chart(
            "风险—覆盖曲线",
            [Line("错误率", curve, marks=marks)],
            x_label="派出的比例（从最有把握的起）",
            y_label="其中的错误率",
            x_range=(0, 1),
            y_range=(0, max(0.1, most)),
        ),
        bar_chart(
            "各档条数",
            [
                Bar(f"{part['from']:.2f}–{part['to']:.2f}", part["n"], str(part["n"]))
                for part in reversed(bins)
            ],
        ),
    ]


def _curve_note(found: Mapping[str, Any]) -> str:
    return (
        "左：点在虚线下方表示过于自信，上方表示过于保守。中：圆点是错误率 3% 处，"
        f"对应概率 {number(found['auto_at_97']['threshold'])}。"
    )


def _decisions(page: Page, found: Mapping[str, Any]) -> None:
    rows = [
        (VERDICT_ZH[name], "", part["n"], percent(part["share"]), *_right(part))
        for name, part in found["by_verdict"].items()
    ]
    rows += [
        (VERDICT_ZH[part["verdict"]], rule, part["n"], percent(part["share"]), *_right(part))
        for rule, part in found["by_rule"].items()
    ]
    interval = found["auto_precision_interval_95"]
    shown = (
        ""
        if interval is None
        else f"自动派单准确率的 95% 区间 {interval[0]:.3f}–{interval[1]:.3f}。"
    )
    page.table(
        "实际决定",
        ("决定", "规则", "条数", "占比", "首选正确", "前三命中"),
        rows,
        note=shown + "上三行为合计，其余按触发的规则分开。",
    )


def _right(part: Mapping[str, Any]) -> tuple[str, str]:
    return percent(part["top1"]), percent(part["top3"])


def _classes(page: Page, run: Run, found: Mapping[str, Any]) -> None:
    names = run.answers.names
    rows = [
        (
            names.get(code, code),
            code,
            part["n"],
            part["answered"],
            percent(part["precision"]),
            percent(part["recall"]),
            number(part["f1"]),
            percent(part["top3"]),
        )
        for code, part in sorted(found["per_class"].items(), key=lambda item: -item[1]["n"])
    ]
    columns = ("名称", "编码", "条数", "判为", "准确率", "召回率", "F1", "前三命中")
    page.table("按类", columns, rows, note="条数不足 30 的，数字只能参考。")


def _confusion(page: Page, run: Run, found: Mapping[str, Any]) -> None:
    table = found["confusion"]
    names = [run.answers.names.get(code, code) for code in table["labels"]]
    page.matrix(
        "混淆矩阵",
        names,
        [_short(name) for name in names],
        table["counts"],
        note="行为标注，列为首选；颜色深浅按行内占比。",
    )


def _mixed_up(page: Page, run: Run, found: Mapping[str, Any]) -> None:
    """The pairs most often taken for each other: the matrix in words."""
    codes, counts = found["confusion"]["labels"], found["confusion"]["counts"]
    names = run.answers.names
    pairs = sorted(
        (
            (count, right, said)
            for right, row in zip(codes, counts, strict=True)
            for said, count in zip(codes, row, strict=True)
            if count and said != right
        ),
        reverse=True,
    )
    page.table(
        "最常混淆",
        ("标注", "首选", "条数", "占该标注"),
        [
            (
                names.get(right, right),
                names.get(said, said),
                count,
                percent(count / found["per_class"][right]["n"]),
            )
            for count, right, said in pairs[:MIXED_UP]
        ],
    )


def _short(name: str) -> str:
    """Column heads must be narrow: the first two characters tell 25 departments apart."""
    return name.removeprefix("公安局")[:2] if len(name) > 3 else name


def _mistakes(page: Page, run: Run, most: int) -> None:
    names = run.answers.names
    rows: list[Sequence[str]] = []
    for mistake in worst_mistakes(run.answers, most):
        text = run.texts[mistake.row]
        rows.append(
            (
                run.answers.ids[mistake.row],
                f"{names.get(mistake.said, mistake.said)} {mistake.p_said:.0%}",
                f"{names.get(mistake.right, mistake.right)} {mistake.p_right:.0%}",
                text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…",
            )
        )
    page.table(
        "最有把握的错误",
        ("编号", "首选", "标注", "来电（已脱敏）"),
        rows,
        note="把握越大的错误越靠前；也可能是标注有误。",
    )
