"""Tagged characters: read as they stand, refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.conll import read_conll


def test_texts_and_tags(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("花 B-road\n路 E-road\n\n\n在 O\n河 S-poi\n", encoding="utf-8")
    first, second = read_conll(path)
    assert (first.text, first.tags) == ("花路", ("B-road", "E-road"))
    assert second.tags == ("O", "S-poi")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("花 B-road\n路 E-poi\n", r":2: E-poi cannot follow B-road"),
        ("花 I-road\n", r":1: I-road cannot follow O"),
        ("花 B-road\n\n路 O\n", r":2: the text ends inside"),
        ("花B-road\n", r":1: .*expected"),
        ("\n\n", "no texts"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_conll(path)
