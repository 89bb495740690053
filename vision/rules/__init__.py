"""One rule per file, registered by name."""

from . import bin_state, exposed_garbage, stationary_vehicle, street_vending
from .rule import Observation, Rule

RULES: dict[str, Rule] = {
    module.RULE.name: module.RULE
    for module in (stationary_vehicle, bin_state, exposed_garbage, street_vending)
}

__all__ = ["RULES", "Observation", "Rule"]
