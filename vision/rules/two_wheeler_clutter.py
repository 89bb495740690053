"""非机动车乱停放: several bicycles or e-bikes left in a zone where none may stand."""

from __future__ import annotations

from ..groups import Group
from ..kinds import Kind
from ..scene import Stay
from .rule import Finding, Rule, View


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """One event a zone, from when the `min_count`-th came to rest to when too few are left."""
    count = stay.members if isinstance(stay, Group) else 1
    reasons = (f"区域内停放非机动车 {count} 辆", f"达到 {kind.min_count} 辆即计入", "均无人骑行")
    strength = 1.0 if count >= kind.min_count else 0.0
    return Finding(strength, stay.since, stay.last_seen, reasons)


RULE = Rule("two_wheeler_clutter", "1.0.0", observe, scope="zone")
