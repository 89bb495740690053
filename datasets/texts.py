"""JSON-lines text data: one object a line, complaints with file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ..config.errors import DatasetError

RowT = TypeVar("RowT", bound=BaseModel)

MAX_LINE_BYTES = 4 * 1024 * 1024


def read_rows(path: Path, row_type: type[RowT]) -> list[RowT]:
    """All rows of a JSONL file as `row_type`; blank lines are skipped.

    Raises:
        DatasetError: unreadable file, invalid UTF-8, broken JSON, a value the row type refuses,
            or no row at all; the text starts with `file:line`.
    """
    rows = [_row(path, number, raw, row_type) for number, raw in _lines(path)]
    if not rows:
        raise DatasetError(f"{path}: no rows", message_zh=f"{path}：没有数据行")
    return rows


def write_rows(path: Path, rows: list[RowT]) -> None:
    """Write rows as JSONL (UTF-8, one object a line, default values left out)."""
    lines = (row.model_dump_json(exclude_defaults=True) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                if len(raw) > MAX_LINE_BYTES:
                    raise _error(path, number, f"line longer than {MAX_LINE_BYTES} bytes", "行过长")
                if raw.strip():
                    yield number, raw
    except OSError as error:
        reason = error.strerror or str(error)
        raise _error(path, 0, f"cannot be read: {reason}", f"无法读取（{reason}）") from None


def _row(path: Path, number: int, raw: bytes, row_type: type[RowT]) -> RowT:
    try:
        data = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        detail = f"not valid UTF-8 at byte {error.start} of the line"
        raise _error(path, number, detail, "不是有效的 UTF-8 文本") from None
    except (ValueError, RecursionError) as error:
        raise _error(path, number, f"broken JSON: {error}", "JSON 格式错误") from None
    try:
        return row_type.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        detail = f"{field}: {first['msg']}"
        raise _error(path, number, detail, detail) from None


def _error(path: Path, line: int, message: str, message_zh: str) -> DatasetError:
    where = f"{path}:{line}" if line else str(path)
    return DatasetError(f"{where}: {message}", message_zh=f"{where}：{message_zh}")
