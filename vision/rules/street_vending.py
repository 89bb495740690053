"""占道经营: goods at rest, somebody who keeps them, and people who come to them."""

from __future__ import annotations

from ..families import STALL
from ..kinds import Kind
from ..scene import Stay, ground_point
from ..zones import shop_side
from .rule import HOLDS_AT, Finding, Rule, View, label_zh, percent

VISITORS_WEIGHT = 0.3
FULL_VISITED = 0.3
CARRIER_ATTENDED = 0.5
# Who is there so soon after the goods has brought them.
ARRIVED_S, CAME_ALONG_S = 5.0, 30.0
KEPT_S, HIDDEN_S, HIDDEN_PER_KEPT = 10.0, 180.0, 3.0
# Too little to begin: of all who came near, nobody was seen to stay.
ONLY_PASSED = 0.5
SHOP_KIND = "shop_overflow"


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """Evidence of each, fused over time.

    A stall says by its looks that something is sold: an attendant is enough, visitors add to it.
    Another carrier of goods (a kind may list `truck` or `motorcycle`) must have both, else every
    delivery would be a market. An umbrella with nobody near gives nothing; passers-by give little.
    People who pass one after the other keep nothing: somebody must be seen to stay. What nobody was
    seen to bring, a board or a stand that has always been there, is judged by such people alone.

    What stands inside a shop's frontage is the shop's; what stands just before it is
    `shop_overflow` where the zone forbids that.

    Whoever brought the goods and kept them may be hidden behind them for some minutes. Once
    reported, a vendor who steps away does not end it: only the stall's leaving does.
    """
    first = stay.attended.first
    arrived = stay.since > view.watched_since + ARRIVED_S
    came_along = arrived and first is not None and first <= stay.since + CAME_ALONG_S
    unbrought = stay.family == STALL and not came_along
    kept = (stay.kept if unbrought else stay.attended).strength
    visited = min(1.0, stay.visited.share / FULL_VISITED)
    if stay.family == STALL:
        strength = min(1.0, kept + VISITORS_WEIGHT * visited)
    else:
        strength = CARRIER_ATTENDED * kept + (1.0 - CARRIER_ATTENDED) * visited
    kept_s = stay.attended.total_s
    hidden = came_along and view.t - stay.since <= HIDDEN_S + HIDDEN_PER_KEPT * kept_s
    if view.standing or (hidden and kept_s >= KEPT_S):
        strength = max(strength, HOLDS_AT)
    if stay.family == STALL and not view.standing and stay.kept.total_s <= 0.0:
        strength = min(strength, ONLY_PASSED)
    if _belongs_to_a_shop(stay, kind, view):
        strength = 0.0
    reasons = [
        f"{label_zh(stay.label)}在原地未移动",
        f"近期 {percent(stay.attended.share)} 的时间有人在旁",
    ]
    if stay.visited.share > 0:
        reasons.append(f"近期 {percent(stay.visited.share)} 的时间有两人以上停留")
    since = stay.since if came_along else max(stay.since, stay.attended.since)
    return Finding(strength, since, stay.last_seen, tuple(reasons))


def _belongs_to_a_shop(stay: Stay, kind: Kind, view: View) -> bool:
    if not view.frontages:
        return False
    width = stay.anchor[2] - stay.anchor[0]
    for frontage in view.frontages:
        inside, away = shop_side(frontage, ground_point(stay.anchor))
        near = away <= kind.frontage_reach * width and SHOP_KIND in view.zone.forbids
        if inside or near:
            return True
    return False


RULE = Rule("street_vending", "1.2.0", observe)
