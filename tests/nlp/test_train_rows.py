"""Training rows: near duplicates, the messages kept out, retelling, syllable classes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.texts import read_rows
from xiaozheng.nlp.departments import load_departments
from xiaozheng.nlp.train.rows import (
    DEPARTMENTS_FILE,
    HELD_OUT_PERCENT,
    MessageRow,
    duplicate_groups,
    held_out_mask,
    load_messages,
    load_written,
    syllable_classes,
)
from xiaozheng.nlp.train.speech import MAX_CHARS, as_call

LONG = "小区门口的垃圾桶已经满了三天没有人来清运，夏天味道很大，请派人处理一下，谢谢"


def test_texts_that_share_a_passage_are_one_group() -> None:
    texts = [LONG, "补充：" + LONG, "路灯不亮请修一下路灯谢谢你们", LONG.replace("，", " ")]
    groups = duplicate_groups(texts).tolist()
    assert groups[0] == groups[1] == groups[3]
    assert groups[2] != groups[0]


def test_holding_out_is_by_group_stable_and_near_its_share() -> None:
    ids = [f"T{n}" for n in range(4000)]
    groups = np.arange(4000) // 2
    mask = held_out_mask(ids, groups)
    assert np.array_equal(mask[::2], mask[1::2])
    assert abs(mask.mean() - HELD_OUT_PERCENT / 100) < 0.02
    more = held_out_mask([*ids, "T9999"], np.append(groups, 5000))
    assert np.array_equal(more[:4000], mask)


def test_no_near_duplicate_straddles_the_cut(shared_dir: Path) -> None:
    rows = load_messages(shared_dir / "data/text")
    groups = duplicate_groups([row.title + row.text for row in rows])
    mask = held_out_mask([row.id for row in rows], groups)
    assert 0.1 < mask.mean() < 0.14
    assert set(groups[mask].tolist()).isdisjoint(groups[~mask].tolist())
    texts = {row.text for row, out in zip(rows, mask, strict=True) if out}
    assert texts.isdisjoint(row.text for row, out in zip(rows, mask, strict=True) if not out)


def test_written_examples_are_marked_varied_and_not_the_samples(repo_dir: Path) -> None:
    written = load_written()
    codes = set(load_departments().by_code)
    assert {row.department for row in written} == codes
    assert all(row.provenance for row in written)
    for code in ("tuiyi", "shuiwu", "jinrong", "yingji", "fagai", "other"):
        assert sum(row.department == code for row in written) >= 15
    samples = read_rows(repo_dir / "datasets/samples/transcripts.jsonl", MessageRow)
    both = [row.text for row in (*written, *samples)]
    groups = duplicate_groups(both)
    assert len(set(groups.tolist())) == len(both)


def test_samples_cover_every_department_twice(repo_dir: Path) -> None:
    samples = read_rows(repo_dir / "datasets/samples/transcripts.jsonl", MessageRow)
    assert len(samples) >= 75
    assert len({row.id for row in samples}) == len(samples)
    for code in load_departments().by_code:
        assert sum(row.department == code for row in samples) >= 2


def test_a_retold_message_keeps_its_matter_and_loses_its_punctuation() -> None:
    told = as_call("垃圾桶满了没人清", LONG, random.Random(3))
    assert "垃圾桶" in told
    assert not set("，。！；") & set(told)
    assert len(told) <= 2 * MAX_CHARS
    assert told == as_call("垃圾桶满了没人清", LONG, random.Random(3))
    assert told != as_call("垃圾桶满了没人清", LONG, random.Random(4))


def test_homophones_get_one_class(tmp_path: Path) -> None:
    path = tmp_path / "sounds.txt"
    path.write_text("#汉字\t同\t异\n一\t壹\t漪\n乙\t已\t亿艺\n壹\t一\t\n", encoding="utf-8")
    classes = syllable_classes(path)
    assert classes[ord("一")] == classes[ord("壹")] == classes[ord("漪")] > 0
    assert classes[ord("乙")] == classes[ord("艺")] > 0
    assert classes[ord("乙")] != classes[ord("一")]
    assert classes[ord("字")] == 0


def test_a_row_without_department_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / DEPARTMENTS_FILE).write_text(
        '{"id":"a","text":"x","department":"gongan"}\n{"id":"b","text":"y"}\n', encoding="utf-8"
    )
    with pytest.raises(DatasetError, match=r":2: department: "):
        load_messages(tmp_path)
