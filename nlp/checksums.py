"""Check digits of Chinese identity numbers and bank cards."""

from __future__ import annotations

from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def is_id_card(number: str) -> bool:
    """18-character identity number: region, birth date and check character (GB 11643-1999)."""
    return looks_like_id_card(number) and number[17].upper() == id_check_character(number[:17])


def id_check_character(first_17: str) -> str:
    """The 18th character, ISO 7064 MOD 11-2."""
    total = sum(int(d) * w for d, w in zip(first_17, _ID_WEIGHTS, strict=True))
    return _ID_CHECK[total % 11]


def looks_like_id_card(number: str) -> bool:
    """Region code and a possible birth date, whatever the check character says."""
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdigit():
        return False
    if number[17] not in "0123456789Xx" or number[0] not in "12345678":
        return False
    return number[6:8] in ("18", "19", "20") and _is_date(number[6:14])


def is_old_id_card(number: str) -> bool:
    """15-digit identity number issued before 1999; it has no check digit."""
    return (
        len(number) == 15
        and number.isascii()
        and number.isdigit()
        and number[0] in "12345678"
        and _is_date("19" + number[6:12])
    )


def passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1 check digit."""
    total = 0
    for at, char in enumerate(reversed(number)):
        digit = int(char) * (2 if at % 2 else 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _is_date(yyyymmdd: str) -> bool:
    try:
        date(int(yyyymmdd[:4]), int(yyyymmdd[4:6]), int(yyyymmdd[6:8]))
    except ValueError:
        return False
    return True
