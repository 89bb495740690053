"""The page of `xiaozheng eval matters`."""

from __future__ import annotations

from typing import Any

from .report import Page, Tile, number


def matters_page(figures: dict[str, Any]) -> Page:
    """Figures of `measure` for the eye."""
    page = Page("同一事项", f"{figures['n']} 条留言，{len(figures['teams'])} 个团队的聚类")
    agreement, majority = figures["agreement"], figures["groups"]["majority"]
    page.tiles(
        Tile("对多数团队 F1", number(majority["f1"]), "归并后的留言对"),
        Tile("精确率", number(majority["precision"])),
        Tile("召回率", number(majority["recall"])),
        Tile("团队之间 F1", number(agreement["mean_f1"]), f"最高 {number(agreement['best_f1'])}"),
    )
    page.table(
        "与各团队逐对比较",
        ("对象", "做法", "精确率", "召回率", "F1", "我方对数", "对方对数"),
        [
            [
                _name(name),
                what,
                *(number(row[k]) for k in ("precision", "recall", "f1")),
                row["said"],
                row["true"],
            ]
            for part, what in (
                ("groups", "归并"),
                ("proposals", "建议（全部）"),
                ("proposals_best_three", "建议（前三）"),
            )
            for name, row in figures[part].items()
        ],
        note="只计涉及对方所列留言的对；对方未列的留言与所列留言配对按错误计。",
    )
    page.table(
        "团队之间（上限）",
        ("当作程序的团队", "对照", "精确率", "召回率", "F1"),
        [
            [a, b, *(number(row[k]) for k in ("precision", "recall", "f1"))]
            for a, rows in agreement["between"].items()
            for b, row in rows.items()
        ]
        + [
            [a, "其余团队之多数", *(number(row[k]) for k in ("precision", "recall", "f1"))]
            for a, row in agreement["against_majority_of_others"].items()
        ],
    )
    page.table(
        "最大的事项",
        ("标题（取自留言原话）", "条数"),
        [[item["title"], item["size"]] for item in figures["largest"]],
    )
    return page


def _name(name: str) -> str:
    return "多数团队" if name == "majority" else f"团队 {name}"
