"""店外经营: a shop's goods that stand outside its frontage."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay, ground_point
from ..zones import shop_side
from .rule import Finding, Rule, View


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """Goods at rest outside the frontage, but no further from it than `frontage_reach` widths.

    Nobody need keep them: the shop is next door. Without frontages drawn nothing is found.
    """
    width = stay.anchor[2] - stay.anchor[0]
    for frontage in view.frontages:
        inside, away = shop_side(frontage, ground_point(stay.anchor))
        if inside:
            return Finding(0.0, stay.since, stay.last_seen, ("物品位于店铺门线以内",))
        if away <= kind.frontage_reach * width:
            name = frontage.name or frontage.id
            reasons = (f"物品超出“{name}”门线", "在原地未移动")
            return Finding(1.0, stay.since, stay.last_seen, reasons)
    return Finding(0.0, stay.since, stay.last_seen, ("附近没有划定的店铺门线",))


RULE = Rule("shop_overflow", "1.0.0", observe)
