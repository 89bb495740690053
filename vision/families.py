"""Labels that one physical object may flicker between.

A van is called car, bus or truck from one frame to the next, a bin full or not. What belongs to
one family is one object to the suppression of double boxes and to the tracker.
"""

from __future__ import annotations

VEHICLE, BIN, TWO_WHEELER = "vehicle", "bin", "two_wheeler"
PERSON, GARBAGE, STALL = "person", "garbage", "stall"
OVERFLOWING = "overflowing_bin"

FAMILIES: dict[str, tuple[str, ...]] = {
    VEHICLE: ("car", "bus", "truck"),
    BIN: ("bin", OVERFLOWING),
    TWO_WHEELER: ("bicycle", "motorcycle"),
}
_FAMILY_OF = {label: family for family, labels in FAMILIES.items() for label in labels}


def family_of(label: str) -> str:
    """The family of a label; a label without one is its own family."""
    return _FAMILY_OF.get(label, label)
