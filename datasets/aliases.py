"""One table of the names that other people's labels use for the detector's classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .labels import DETECTOR_LABELS, LABELS_ZH

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
    **{other: label for label, others in _OTHERS.items() for other in others},
    **{zh: label for label, zh in LABELS_ZH.items()},
    **{label: label for label in DETECTOR_LABELS},
}
"""Name in its plain form (see `plain_name`) → label. COCO's traffic classes are labels already."""


def plain_name(name: str) -> str:
    """Lower case, one underscore for blanks, hyphens and slashes: `Garbage-Bin` → `garbage_bin`."""
    return re.sub(r"[\s\-/]+", "_", name.strip().lower())


def to_labels(
    names: Iterable[str], labels: Iterable[str], more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Which of `names` means which of `labels`; names that mean none of them are left out.

    Args:
        names: class names of a data set.
        labels: class names of a model; a name that is one of these always means itself.
        more: further aliases; they win over the table.
    """
    known = frozenset(labels)
    own = {plain_name(a): b for a, b in (more or {}).items()}
    found: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        chosen = own.get(plain) or (name if name in known else ALIASES.get(plain, plain))
        if chosen in known:
            found[name] = chosen
    return found
