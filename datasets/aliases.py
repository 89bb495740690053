"""Foreign class names onto the detector's: one alias table for import and evaluation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..config.errors import DatasetError
from .labels import COCO_NAMES, DETECTOR_LABELS, LABELS_ZH
from .problems import Problem
from .scan import Scan
from .table import Classes, Picture, Table

LEFT_OUT = ""
"""An alias to this leaves the class out."""

_OTHERS: dict[str, tuple[str, ...]] = {
    "person": ("people", "human", "pedestrian", "rider", "人", "人员"),
    "bicycle": ("bike", "cycle", "共享单车", "单车"),
    "motorcycle": (
        "motorbike", "motor", "scooter", "moped", "ebike", "e_bike", "electric_bicycle",
        "tricycle", "three_wheeler", "电动车", "电动自行车", "三轮车",
    ),
    "car": ("vehicle", "sedan", "suv", "van", "taxi", "汽车", "轿车", "机动车", "面包车"),
    "bus": ("coach", "minibus", "公交车", "客车", "大巴"),
    "truck": ("lorry", "pickup", "卡车", "货运车"),
    "bin": (
        "garbage_bin", "trash_bin", "rubbish_bin", "dustbin", "trash_can", "garbage_can",
        "wheelie_bin", "normal_bin", "垃圾箱", "果皮箱", "正常垃圾桶", "未满溢垃圾桶",
    ),
    "overflowing_bin": (
        "overflow", "overflowing", "overflowed", "bin_overflow", "garbage_overflow",
        "overflow_bin", "full_bin", "满溢", "垃圾满溢", "垃圾桶满溢", "垃圾溢出",
    ),
    "garbage": (
        "rubbish", "trash", "litter", "waste", "garbage_bag", "exposed_garbage",
        "垃圾", "暴露垃圾", "垃圾袋", "垃圾堆",
    ),
    "stall": ("vendor_stall", "street_stall", "booth", "摊贩", "地摊", "流动摊点", "占道经营"),
}  # fmt: skip

ALIASES: dict[str, str] = {
    **{name.replace(" ", "_"): LEFT_OUT for name in COCO_NAMES},
    **{other: label for label, others in _OTHERS.items() for other in others},
    **{zh: label for label, zh in LABELS_ZH.items()},
    **{label: label for label in DETECTOR_LABELS},
}
"""Foreign name in its plain form (see `plain_name`) → ours; "" for COCO's other classes, which
are known and of no use here."""


def plain_name(name: str) -> str:
    """Lower case, one underscore for blanks, hyphens and slashes: `Garbage-Bin` → `garbage_bin`."""
    return re.sub(r"[\s\-/]+", "_", name.strip().lower())


def canonical(name: str, extra: Mapping[str, str] | None = None) -> str | None:
    """Our name of a foreign class; "" to leave it out, None when nobody knows it.

    `extra` comes before the built-in table; it may be keyed by any form of a name.
    """
    plain = plain_name(name)
    own = {plain_name(key): value for key, value in (extra or {}).items()}
    return own.get(plain, ALIASES.get(plain))


def parse_aliases(pairs: list[str]) -> dict[str, str]:
    """`old=new` pairs; `old=` leaves the class out.

    Raises:
        DatasetError: not such a pair, or `new` is no class of the detector.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        target = LABEL_OF.get(new, new)
        if not equals or not old:
            raise DatasetError(
                f"alias {pair!r} is not old=new", message_zh=f"别名应写成 旧名=新名：{pair}"
            )
        if target and target not in DETECTOR_LABELS:
            raise DatasetError(
                f"alias {pair!r}: no class {new!r} (there are {', '.join(DETECTOR_LABELS)})",
                message_zh=f"别名 {pair}：没有类别 {new}（可用：{'、'.join(DETECTOR_LABELS)}）",
            )
        found[old] = target
    return found


LABEL_OF = {zh: name for name, zh in LABELS_ZH.items()}


def rename(scan: Scan, extra: Mapping[str, str] | None = None) -> Scan:
    """The scan under the detector's own names, boxes inside the picture, none twice.

    Pictures with a class nobody knows are left out and listed: dropping only the box would
    teach that the thing is background.
    """
    targets = [canonical(name, extra) for name in scan.table.names]
    ids = np.array(
        [DETECTOR_LABELS.index(t) if t else (-1 if t == LEFT_OUT else -2) for t in targets],
        dtype=np.int64,
    )
    kept: list[Picture] = []
    parts: list[str] = []
    problems = list(scan.problems)
    dropped: Counter[str] = Counter()
    for index, item in enumerate(scan.table.pictures):
        classes = ids[item.classes]
        strange = {scan.table.names[c] for c in item.classes[classes == -2].tolist()}
        if strange:
            told = ", ".join(repr(n) for n in sorted(strange))
            problems.append(Problem(item.path, 0, f"unknown class {told}", "unknown_class"))
            continue
        dropped.update(scan.table.names[c] for c in item.classes[classes == -1].tolist())
        kept.append(_tidy(item, classes))
        parts += scan.parts[index : index + 1]
    notes = list(scan.notes)
    if dropped:
        shown = "、".join(f"{name} {count}" for name, count in dropped.most_common(8))
        more = f" 等 {len(dropped)} 类" if len(dropped) > 8 else ""
        notes.append(f"识别不需要的类别未导入：{shown}{more}")
    table = Table(DETECTOR_LABELS, tuple(kept))
    ours = dict(zip(scan.table.names, targets, strict=True))
    labelled = {
        source: tuple(dict.fromkeys(t for name in names if (t := ours[name])))
        for source, names in scan.looked_for().items()
    }
    return Scan(table, tuple(problems), tuple(notes), tuple(parts), labelled)


def unknown_names(scan: Scan, extra: Mapping[str, str] | None = None) -> dict[str, int]:
    """Classes nobody knows and how many boxes they have."""
    counts = scan.table.counts()
    return {n: c for n, c in counts.items() if c and canonical(n, extra) is None}


def _tidy(item: Picture, classes: Classes) -> Picture:
    """Known classes only, boxes cut at the edge, six decimals, repeats once."""
    known = classes >= 0
    half = item.boxes[known, 2:] / 2
    low = np.clip(item.boxes[known, :2] - half, 0, 1)
    high = np.clip(item.boxes[known, :2] + half, 0, 1)
    boxes = np.asarray(np.round(np.hstack([(low + high) / 2, high - low]), 6), np.float64)
    rows = np.hstack([classes[known, None], boxes])
    _, first = np.unique(rows, axis=0, return_index=True)
    order = np.sort(first)
    return replace(item, boxes=boxes[order], classes=classes[known][order])
