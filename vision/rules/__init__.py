"""One rule per file, registered by name."""

from . import (
    bin_state,
    exposed_garbage,
    shop_overflow,
    stationary_vehicle,
    street_vending,
    two_wheeler_clutter,
)
from .rule import Finding, Rule, View

RULES: dict[str, Rule] = {
    module.RULE.name: module.RULE
    for module in (
        stationary_vehicle,
        two_wheeler_clutter,
        bin_state,
        exposed_garbage,
        street_vending,
        shop_overflow,
    )
}

__all__ = ["RULES", "Finding", "Rule", "View"]
