"""Administrative divisions by code (GB/T 2260 and its street codes) from CSV files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...config.errors import ConfigError

# Characters of a code that name the province, the city, the district and the street.
LEVELS = {2: "prov", 4: "city", 6: "district", 9: "town"}
_ENDS = ("街道办事处", "街道", "地区", "镇", "乡", "区", "县", "市", "省")


@dataclass(frozen=True, slots=True)
class Division:
    """One division; `level` as the address element of that rank is called."""

    code: str
    name: str
    level: str


class Divisions:
    """Divisions by name (with or without 街道, 镇, 区 …) and by code."""

    def __init__(self, rows: Sequence[Division]) -> None:
        self.by_code = {row.code: row for row in rows}
        self._by_name: dict[str, list[Division]] = {}
        for row in rows:
            for name in {row.name, short_name(row.name)}:
                self._by_name.setdefault(name, []).append(row)

    def named(self, name: str, level: str, within: str = "") -> tuple[Division, ...]:
        """Divisions of that name and level whose code begins with `within`."""
        found = self._by_name.get(name) or self._by_name.get(short_name(name), [])
        return tuple(row for row in found if row.level == level and row.code.startswith(within))

    def above(self, code: str, level: str) -> Division | None:
        """The division of a higher level that `code` belongs to, where the files hold it."""
        length = next(n for n, name in LEVELS.items() if name == level)
        return self.by_code.get(code[:length]) if len(code) > length else None


def short_name(name: str) -> str:
    """`经八路街道` → `经八路`; names of two characters stay."""
    for end in _ENDS:
        if name.endswith(end) and len(name) - len(end) >= 2:
            return name.removesuffix(end)
    return name


def load_divisions(paths: Sequence[Path], within: str = "") -> Divisions:
    """Read CSV files with `code` and `name`, of any levels.

    Args:
        within: keep only codes that begin so (and those above), for example `4101`.

    Raises:
        ConfigError: unreadable, a column missing, or a code of no level; starts with `file:line`.
    """
    return Divisions([row for path in paths for row in _rows(path, within)])


def _rows(path: Path, within: str) -> list[Division]:
    found = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if not {"code", "name"} <= set(rows.fieldnames or ()):
                raise ConfigError(path, 1, "columns code and name are needed")
            for row in rows:
                code, name = row["code"] or "", (row["name"] or "").strip()
                if len(code) not in LEVELS or not code.isdecimal() or not name:
                    raise ConfigError(path, rows.line_num, f"{code!r} is no code of a division")
                if code.startswith(within) or within.startswith(code):
                    found.append(Division(code, name, LEVELS[len(code)]))
    except OSError as error:
        raise ConfigError(path, 0, f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(path, 0, f"not CSV in UTF-8: {error}") from None
    return found
