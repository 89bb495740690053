"""Settings files: every complaint names file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from xiaozheng.config.errors import ConfigError, InputError, XiaozhengError
from xiaozheng.config.yamlfile import MAX_FILE_BYTES, load_yaml, parse_yaml


class Desk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    hours: float = Field(gt=0)


class Desks(BaseModel):
    model_config = ConfigDict(extra="forbid")

    desks: list[Desk]
    note: str = ""


GOOD = """\
# comment
desks:
  - id: chengguan
    hours: 4
  - id: jiaojing
    hours: 1.5
"""


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "desks.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert [desk.id for desk in load_yaml(path, Desks).desks] == ["chengguan", "jiaojing"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD.replace("hours: 4", "hours: -1"), 4, "desks.0.hours"),
        (GOOD.replace("hours: 1.5", "hours: soon"), 6, "desks.1.hours"),
        (GOOD.replace("    hours: 4\n", ""), 3, "desks.0.hours"),
        (GOOD.replace("id: jiaojing", "name: jiaojing"), 5, "desks.1"),
        (GOOD + "desks: []\n", 7, "twice"),
        (GOOD + "\tnote: x\n", 7, "broken YAML"),
        (GOOD + "note: [1, 2\n", 8, "broken YAML"),
        (GOOD + "note: !!python/object:os.system x\n", 7, "cannot read value"),
        (GOOD + "? [a, b]\n: c\n", 7, "key"),
        ("", 1, "document"),
        ("just a sentence\n", 1, "document"),
        ("- 1\n- 2\n", 1, "document"),
        ("note: x\ndesks: &x [*x]\n", 2, "nested deeper"),
    ],
    ids=[
        "too-small",
        "not-a-number",
        "missing",
        "misspelt",
        "duplicate-key",
        "tab",
        "open-bracket",
        "python-tag",
        "list-as-key",
        "empty",
        "scalar",
        "list",
        "recursive",
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "desks.yaml", Desks)
    message = str(caught.value)
    assert caught.value.line == line
    assert message.startswith(f"desks.yaml:{line}: ")
    assert says in message


def test_every_complaint_is_listed() -> None:
    text = GOOD.replace("hours: 4", "hours: -1").replace("hours: 1.5", "hours: 0")
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "desks.yaml", Desks)
    assert [part.split(" ")[0] for part in str(caught.value).splitlines()] == [
        "desks.yaml:4:",
        "desks.yaml:6:",
    ]


def test_bad_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "desks.yaml"
    path.write_bytes(GOOD.encode() + b"note: \xff\xfe\n")
    with pytest.raises(ConfigError, match="UTF-8") as caught:
        load_yaml(path, Desks)
    assert caught.value.line == 7


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            load_yaml(path, Desks)
        assert str(path) in str(caught.value)
        assert str(path) in caught.value.message_zh


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ConfigError, match="larger than"):
        load_yaml(path, Desks)


def test_deep_nesting_is_refused_not_fatal() -> None:
    with pytest.raises(ConfigError):
        parse_yaml("desks: " + "[" * 5000 + "]" * 5000, "deep.yaml", Desks)


def test_aliases_that_unfold_to_millions_are_refused() -> None:
    """The "billion laughs": nine short lines, 10⁹ values."""
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ConfigError, match="more than"):
        parse_yaml("\n".join(lines), "laughs.yaml", Desks)


def test_aliases_in_reason_are_followed() -> None:
    text = "desks:\n  - &a {id: a, hours: 4}\n  - *a\n"
    assert [desk.id for desk in parse_yaml(text, "desks.yaml", Desks).desks] == ["a", "a"]


def test_errors_carry_code_and_chinese() -> None:
    error = InputError("english", message_zh="中文", code="own")
    assert (str(error), error.message_zh, error.code) == ("english", "中文", "own")
    plain = ConfigError("f.yaml", 0, "whole file")
    assert (str(plain), plain.code) == ("f.yaml: whole file", "bad_config")
    assert issubclass(ConfigError, InputError)
    assert XiaozhengError("x").message_zh == "x"
