"""JSONL rows, and complaints that name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.texts import read_rows, write_rows


class Row(BaseModel):
    id: str
    text: str
    n: int = 0


def test_rows_survive_writing_and_reading(tmp_path: Path) -> None:
    rows = [Row(id="a", text="垃圾桶满了\n没人管"), Row(id="b", text="“停电”", n=3)]
    path = tmp_path / "rows.jsonl"
    write_rows(path, rows)
    assert read_rows(path, Row) == rows
    assert "垃圾桶" in path.read_text(encoding="utf-8")


def test_blank_lines_do_not_count_as_rows_but_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\n{"id":"a","text":"x"}\n\n{"id":"b"}\n')
    with pytest.raises(DatasetError, match=r"rows\.jsonl:4: text: Field required"):
        read_rows(path, Row)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"\xff\xfe", r":2: not valid UTF-8 at byte 0"),
        (b"{broken", r":2: broken JSON"),
        (b"[" * 100_000, r":2: broken JSON"),
        (b"[1]", r":2: row: "),
        (b'{"id":1,"text":"x"}', r":2: id: "),
        (b'{"id":"a","text":"x","n":"many"}', r":2: n: "),
        (b'{"id":"a","text":"' + b"x" * 5_000_000 + b'"}', r":2: line longer than"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, complaint: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id":"a","text":"x"}\n' + line + b"\n")
    with pytest.raises(DatasetError, match=complaint):
        read_rows(path, Row)


def test_a_file_without_rows_or_a_missing_file_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"\n \n")
    with pytest.raises(DatasetError, match="no rows"):
        read_rows(empty, Row)
    with pytest.raises(DatasetError, match="cannot be read") as raised:
        read_rows(tmp_path / "gone.jsonl", Row)
    assert "无法读取" in raised.value.message_zh
