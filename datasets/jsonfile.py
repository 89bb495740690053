"""JSON label files, and typed looks into them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .problems import Fault

MAX_BYTES = 1024 * 1024 * 1024


def load_json(path: Path) -> Any | Fault:
    """The document, or why there is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Fault("unreadable_labels", f"larger than {MAX_BYTES} bytes")
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        return Fault("unreadable_labels", f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        return Fault("unreadable_labels", f"not valid UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        return Fault("unreadable_labels", f"broken JSON in line {error.lineno}: {error.msg}")
    except RecursionError:
        return Fault("unreadable_labels", "JSON nested too deeply")


def number(value: Any) -> float:
    """A JSON number as float; NaN for anything else (the row checks name it)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")


def items(value: Any) -> list[Any]:
    """A list, or nothing."""
    return value if isinstance(value, list) else []
