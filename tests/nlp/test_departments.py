"""departments.yaml: the shipped one, cities' changes, and complaints with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiaozheng.config.errors import ConfigError
from xiaozheng.nlp.departments import (
    Departments,
    check_covers,
    default_departments_path,
    load_departments,
)
from xiaozheng.nlp.duties import duty_line

GUIDE = {
    *("chengguan", "jiaojing", "gongan", "zhujian", "zigui", "shengtai", "jiaotong", "shijian"),
    *("renshe", "yibao", "jiaoyu", "weijian", "minzheng", "nongye", "shuili", "gongyong"),
    *("tongxin", "wenlv", "yingji", "tuiyi", "shuiwu", "jinrong", "gongjijin", "jijian"),
    *("fagai", "other"),
}


def test_the_shipped_file_has_the_guides_departments() -> None:
    departments = load_departments()
    assert set(departments.by_code) == GUIDE
    assert departments.by_code["other"].never_auto
    check_covers(departments, sorted(GUIDE), "departments.yaml")


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = default_departments_path().read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "departments.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("# min_gap: 0.25", "min_gap: much", "decision.min_gap"),
        ("name: 公安局交警支队", "name: ''", "departments.1.name"),
        ("code: gongan", "code: 公安", "departments.2.code"),
        ("never_auto: true", "never: true", "departments.25.never"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    path = edited(tmp_path, old, new)
    line = path.read_text(encoding="utf-8").splitlines()
    number = next(i for i, text in enumerate(line, 1) if new.split(":")[0] in text and new in text)
    with pytest.raises(ConfigError) as raised:
        load_departments(path)
    assert str(raised.value).startswith(f"{path}:{number}: {field}")


def test_a_label_may_not_be_taken_twice(tmp_path: Path) -> None:
    path = edited(tmp_path, "code: jiaojing", "code: jiaojing\n    labels: [jiaojing, gongan]")
    with pytest.raises(ConfigError, match="label given twice: gongan"):
        load_departments(path)


def test_a_label_without_a_desk_and_an_unknown_label_are_refused() -> None:
    departments = Departments.model_validate(
        {"departments": [{"code": "aa", "name": "甲", "duties": ["一切"], "labels": ["x", "y"]}]}
    )
    check_covers(departments, ["x", "y"], "f.yaml")
    with pytest.raises(ConfigError, match=r"f\.yaml: no department takes .* z"):
        check_covers(departments, ["x", "y", "z"], "f.yaml")
    with pytest.raises(ConfigError, match=r"the model has no label.* y"):
        check_covers(departments, ["x"], "f.yaml")


@pytest.mark.parametrize(
    ("code", "evidence", "text", "duty"),
    [
        ("chengguan", ["垃圾桶", "苍蝇"], "", "垃圾清运、垃圾桶、环卫保洁和公厕"),
        ("jiaotong", ["出租车", "打表"], "", "出租车、网约车、黑车"),
        ("gongyong", ["不热"], "暖气一直不热", "暖气、供热"),
        ("tuiyi", ["今年"], "没有说", ""),
    ],
)
def test_the_duty_that_applies(code: str, evidence: list[str], text: str, duty: str) -> None:
    assert duty_line(load_departments().by_code[code], evidence, text) == duty
