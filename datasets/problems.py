"""One thing wrong with a data set, and how many of them read together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import DatasetError

SHOWN = 50
"""Problems spelled out in an error's text; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `line` is 1-based; 0 means the whole file.

    `code` names the kind of trouble for programs: see `KINDS_ZH`.
    """

    path: Path
    line: int
    reason: str
    code: str = "bad_row"

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}: {self.reason}"
            if self.line
            else f"{self.path}: {self.reason}"
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row, before anyone knows where it stands."""

    code: str
    reason: str


KINDS_ZH = {
    "missing_picture": "缺少图片",
    "corrupt_picture": "图片损坏",
    "missing_labels": "图片没有标注文件",
    "unreadable_labels": "标注文件无法读取",
    "bad_row": "标注行有误",
    "unknown_class": "未知类别",
    "outside": "框超出图片",
    "degenerate": "框没有面积",
    "duplicate_box": "重复的框",
    "exact_duplicate": "完全相同的图片",
    "near_duplicate": "分集之间近似重复",
    "parted_scene": "同一场景被拆到不同分集",
    "same_place": "同一位置标了两类",
    "imbalance": "类别不均衡",
    "part_without_class": "分集缺少类别",
    "unlisted_picture": "图片未列入清单",
}
"""Kinds of trouble and what users call them."""


def complain(problems: Sequence[Problem]) -> DatasetError:
    """One error that lists the problems."""
    shown = "\n".join(str(p) for p in problems[:SHOWN])
    more = f"\n… and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return DatasetError(
        f"{len(problems)} problems:\n{shown}{more}",
        message_zh=f"数据集有 {len(problems)} 处问题：\n{shown}{more}",
    )
