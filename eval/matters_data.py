"""Messages and several teams' clusters of them, read from spreadsheets.

`messages_*.xlsx` holds all messages; every other `.xls` or `.xlsx` of the folder is one team's list
of clusters. Columns are found by their Chinese names: 留言编号, 留言主题, 留言时间, 留言详情, and
问题ID for the cluster. What a file is called says nothing of its format: the first bytes do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from ..config.errors import DatasetError, InputError
from ..nlp.mask import mask_personal_data
from ..nlp.matter.profile import Call

ID, TITLE, AT, TEXT, CLUSTER = "留言编号", "留言主题", "留言时间", "留言详情", "问题ID"
TIME_FORMATS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H:%M",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Messages, and for each team the cluster of each message it lists."""

    calls: tuple[Call, ...]
    teams: Mapping[str, Mapping[str, str]]


def read_folder(folder: Path) -> Judged:
    """All messages and clusters of a folder.

    Raises:
        DatasetError: no messages, no clusters, a missing column, an unreadable date, or a cluster
            of a message that is not there; file and row are named.
        InputError: the spreadsheet readers are not installed.
    """
    files = sorted(path for path in folder.glob("*.xls*") if not path.name.startswith("~"))
    messages = [path for path in files if path.name.startswith("messages")]
    if len(messages) != 1 or len(files) < 2:
        raise DatasetError(
            f"{folder}: one messages_*.xlsx and at least one team's file are wanted",
            message_zh=f"{folder}：需要一个 messages_*.xlsx 和至少一个团队的聚类文件",
        )
    calls = {call.id: call for call in _calls(messages[0])}
    teams: dict[str, dict[str, str]] = {}
    for path in files:
        if path != messages[0]:
            teams[path.stem] = _clusters(path, calls)
    return Judged(tuple(calls.values()), teams)


def _calls(path: Path) -> Iterator[Call]:
    for row, cells in _rows(path, (ID, TITLE, AT, TEXT)):
        yield Call(
            id=_identity(cells[ID]),
            text=mask_personal_data(str(cells[TEXT] or "").strip()).text,
            at=_moment(cells[AT], path, row),
            title=mask_personal_data(str(cells[TITLE] or "").strip()).text,
        )


def _clusters(path: Path, calls: Mapping[str, Call]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row, cells in _rows(path, (ID, CLUSTER)):
        if cells[CLUSTER] in (None, ""):
            continue
        call_id = _identity(cells[ID])
        if call_id not in calls:
            raise DatasetError(
                f"{path}:{row}: no message {call_id!r}",
                message_zh=f"{path}:{row}：没有留言 {call_id}",
            )
        found[call_id] = _identity(cells[CLUSTER])
    return found


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Row numbers (1-based, as a spreadsheet shows them) and cells by column name."""
    table = iter(_table(path))
    head = [str(cell).strip() for cell in next(table, ())]
    missing = [name for name in wanted if name not in head]
    if missing:
        raise DatasetError(
            f"{path}:1: no column {', '.join(missing)}",
            message_zh=f"{path}:1：缺少列 {'、'.join(missing)}",
        )
    at = {name: head.index(name) for name in wanted}
    for number, row in enumerate(table, start=2):
        if any(cell not in (None, "") for cell in row):
            yield number, {name: row[column] for name, column in at.items()}


def _table(path: Path) -> Iterator[Sequence[Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{path}: {error.strerror}", message_zh=f"无法读取 {path}：{error.strerror}"
        ) from None
    if data[:2] == b"PK":
        book = _reader("openpyxl").load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        yield from book.worksheets[0].iter_rows(values_only=True)
    else:
        sheet = _reader("xlrd").open_workbook(file_contents=data).sheet_by_index(0)
        for number in range(sheet.nrows):
            yield sheet.row_values(number)


def _reader(name: str) -> ModuleType:
    # Only evaluators read spreadsheets: the libraries come with the `eval` extra.
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise InputError(
            f"{name} is needed to read spreadsheets: pip install 'xiaozheng[eval]'",
            message_zh=f"读取表格需要 {name}：pip install 'xiaozheng[eval]'",
            code="missing_extra",
        ) from None


def _identity(value: Any) -> str:
    """Old spreadsheets hold every number as a float."""
    text = str(value).strip()
    return text.removesuffix(".0")


def _moment(value: Any, path: Path, row: int) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    for form in TIME_FORMATS:
        try:
            return datetime.strptime(str(value).strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise DatasetError(
        f"{path}:{row}: {AT} {value!r} is no date",
        message_zh=f"{path}:{row}：{AT} 无法识别：{value}",
    )
