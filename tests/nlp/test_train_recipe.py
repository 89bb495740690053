"""The training recipe, from a data folder to a router that answers."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from xiaozheng.config.errors import DatasetError, InputError
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.train.rows import load_written
from xiaozheng.nlp.transcript import Transcript

pytestmark = pytest.mark.train
pytest.importorskip("sklearn", reason="needs the train extra")

from xiaozheng.nlp.train.recipe import TrainOptions, train_artifact  # noqa: E402

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OPTIONS = TrainOptions(version="0.0.1", folds=2, max_features=5000)
CATEGORY = {"chengguan": "城乡建设", "renshe": "劳动和社会保障", "jiaotong": "交通运输"}


def silent(step: str, done: int, total: int) -> None:
    assert step
    assert 0 <= done <= total


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data folder: our own written examples, varied by rule."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "asr").mkdir()
    (folder / "asr/same_pinyin.txt").write_text("#\n期\t其\t起\n油\t由\t有\n", encoding="utf-8")
    rng = random.Random(1)
    messages, categories = [], []
    for number, row in enumerate(load_written() * 3):
        body = "".join(rng.sample(row.text, len(row.text) // 3)) + row.text[::-1] + row.text
        message = {"id": f"M{number}", "title": row.text[:12], "text": body}
        messages.append({**message, "department": row.department, "confidence": 1 + number % 3})
        if row.department in CATEGORY:
            categories.append(
                {
                    **message,
                    "id": f"C{number}",
                    "text": body[::2],
                    "category": CATEGORY[row.department],
                }
            )
    for name, rows in (("departments", messages), ("teddy_category", categories)):
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = tmp_path_factory.mktemp("shelf")
    folder = train_artifact(data, shelf, OPTIONS, now=NOW, progress=silent)
    assert folder == shelf / "router/0.0.1"
    return shelf


def test_the_artefact_opens_and_answers(trained: Path) -> None:
    router = Router.open(Registry(trained), "router@0.0.1")
    answer = router.route([Transcript("1", "退伍军人优待证申请了半年还没有制好")])[0]
    assert answer.departments[0].code == "tuiyi"
    assert answer.model == "router@0.0.1"


def test_the_run_is_documented(trained: Path) -> None:
    folder = trained / "router/0.0.1"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    assert run["options"]["seed"] == 1
    assert run["data_hash"] == manifest["data_hash"]
    assert run["created"] == "2026-01-02T03:04:05+00:00"
    assert 0 < run["rows"]["held_out"] < run["rows"]["messages"]
    for name in ("departments_cv", "departments_held_out", "category_cv"):
        assert 0 <= manifest["metrics"][name]["top1"] <= 1
    assert "Kept out of training" in card
    assert f"{manifest['metrics']['departments_cv']['top1']:.3f}" in card


def test_the_same_data_and_seed_give_the_same_model(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    again = train_artifact(data, tmp_path, OPTIONS, now=NOW, progress=silent)
    first = Router.open(Registry(trained), "router@0.0.1")
    second = Router.open(Registry(tmp_path), "router@0.0.1")
    calls = [Transcript(row.id, row.text) for row in load_written()[:40]]
    for a, b in zip(first.route(calls), second.route(calls), strict=True):
        assert [d.code for d in a.departments] == [d.code for d in b.departments]
    assert json.loads((again / "run.json").read_text())["data_hash"]


def test_eight_bit_weights_answer_like_the_full_ones(trained: Path) -> None:
    from xiaozheng.nlp.train.export import quantised

    rng = np.random.default_rng(0)
    matrix = rng.normal(0, 0.1, (500, 6)).astype(np.float32)
    small, scale = quantised(matrix)
    assert small.dtype == np.int8
    assert np.abs(small * scale - matrix).max() <= scale.max() / 2 + 1e-7


def test_a_taken_or_malformed_version_is_refused(trained: Path, data: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        train_artifact(data, trained, OPTIONS, now=NOW, progress=silent)
    bad = TrainOptions(version="new")
    with pytest.raises(InputError, match=r"must look like 1\.2\.3"):
        train_artifact(data, trained, bad, now=NOW, progress=silent)


def test_an_unknown_department_or_missing_file_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"departments\.train\.jsonl"):
        train_artifact(tmp_path, tmp_path / "out", OPTIONS, now=NOW, progress=silent)
    assert not list(tmp_path.rglob("0.0.1*")), "a failed run must not take the version"
    for path in data.rglob("*.*"):
        target = tmp_path / path.relative_to(data)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    with (tmp_path / "departments.train.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('\n{"id":"Z1","text":"x","department":"kongjun"}')
    with pytest.raises(DatasetError, match=r"Z1: unknown department 'kongjun'"):
        train_artifact(tmp_path, tmp_path / "out", OPTIONS, now=NOW, progress=silent)
