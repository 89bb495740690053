"""The encoder's training: both models in one artefact, resumed exactly, kept out honestly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("safetensors", reason="needs the train extra")
pytest.importorskip("sklearn", reason="needs the train extra")

from tests.nlp.encoder_base import write_base  # noqa: E402
from xiaozheng.config.errors import ModelError  # noqa: E402
from xiaozheng.models.registry import Registry  # noqa: E402
from xiaozheng.nlp.router import Router  # noqa: E402
from xiaozheng.nlp.train.encoder_fit import FitOptions  # noqa: E402
from xiaozheng.nlp.train.encoder_text import TextOptions  # noqa: E402
from xiaozheng.nlp.train.recipe import EncoderPlan, TrainOptions, train_artifact  # noqa: E402
from xiaozheng.nlp.train.rows import load_written  # noqa: E402
from xiaozheng.nlp.transcript import Transcript  # noqa: E402

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIT = FitOptions(layers=2, frozen=1, epochs=2, text=TextOptions(max_tokens=48, max_windows=2))


class StoppedError(Exception):
    """The run was killed."""


def silent(step: str, done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "asr").mkdir()
    (folder / "asr/same_pinyin.txt").write_text("#\n期\t其\t起\n油\t由\t有\n", encoding="utf-8")
    names = {"chengguan": "城乡建设", "renshe": "劳动和社会保障", "jiaotong": "交通运输"}
    messages, categories = [], []
    for number, row in enumerate(load_written()):
        message = {"id": f"M{number}", "title": row.text[:8], "text": row.text[::-1] + row.text}
        messages.append({**message, "department": row.department, "confidence": 3})
        if row.department in names:
            kept = message if number % 2 else {**message, "id": f"C{number}"}
            categories.append({**kept, "category": names[row.department]})
    for name, rows in (("departments", messages), ("teddy_category", categories)):
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [row.text for row in load_written()]
    return write_base(tmp_path_factory.mktemp("base") / "tiny", texts, n_layers=2)


def options(base: Path, work: Path) -> TrainOptions:
    plan = EncoderPlan(base, work, FIT, folds=2)
    return TrainOptions(version="0.0.1", folds=2, max_features=3000, encoder=plan)


@pytest.fixture(scope="module")
def trained(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    train_artifact(data, root / "shelf", options(base, root / "work"), now=NOW, progress=silent)
    return root


def test_the_artefact_answers_with_both_models(trained: Path) -> None:
    router = Router.open(Registry(trained / "shelf"), "router@0.0.1")
    long_call = "退伍军人优待证申请了半年还没有制好" * 30
    answers = router.route([Transcript("1", "公交车司机不停站"), Transcript("2", long_call)])
    assert sum(d.probability for d in answers[0].departments) == pytest.approx(1, abs=0.01)
    assert answers[1].embedding is not None
    assert answers[1].embedding.shape == (384,)
    manifest = json.loads((trained / "shelf/router/0.0.1/manifest.json").read_text())
    assert manifest["extra"]["encoder"]["max_tokens"] == 48
    assert set(manifest["metrics"]) >= {"departments_cv_misheard", "category_cv_encoder_alone"}


def test_a_killed_run_ends_at_the_same_weights(
    trained: Path, data: Path, base: Path, tmp_path: Path
) -> None:
    wanted = options(base, tmp_path / "work")

    def kill(step: str, done: int, total: int) -> None:
        if step == "编码器：fold-1" and done == total:
            raise StoppedError

    with pytest.raises(StoppedError):
        train_artifact(data, tmp_path / "shelf", wanted, now=NOW, progress=kill)
    assert not (tmp_path / "shelf/router/0.0.1").exists()
    folder = train_artifact(data, tmp_path / "shelf", wanted, now=NOW, progress=silent)
    whole = trained / "shelf/router/0.0.1"
    for name in ("encoder.onnx", "run.json", "manifest.json", "tuning.npz"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


def test_other_options_never_reuse_a_run(trained: Path, data: Path, base: Path) -> None:
    plain = options(base, trained / "work")
    other = replace(
        plain,
        version="0.0.2",
        encoder=EncoderPlan(base, trained / "work", replace(FIT, epochs=1), 1),
    )
    folder = train_artifact(data, trained / "shelf", other, now=NOW, progress=silent)
    runs = [path.name for path in (trained / "work").iterdir()]
    assert sum(name.startswith("run-") for name in runs) == 2
    assert sum(name.startswith("states-") for name in runs) == 1, "the lower layers are the same"
    run = json.loads((folder / "run.json").read_text())
    assert 0 < run["rows"]["messages_read"] < run["rows"]["messages"], "one fold of two was read"


def test_the_onnx_file_says_what_the_network_says(base: Path, tmp_path: Path) -> None:
    import onnxruntime

    from xiaozheng.nlp.train.encoder_export import export_encoder
    from xiaozheng.nlp.train.encoder_network import start_from

    network = start_from(base, 2, 5, 3).eval()
    export_encoder(network, tmp_path / "encoder.onnx")
    ids = torch.tensor([[0, 5, 9, 12, 2, 1, 1, 1], [0, 7, 7, 8, 6, 5, 4, 2]])
    with torch.inference_mode():
        mean = network.upper(network.lower(ids, 1), (ids != 1).float()[..., None], 1)
        wanted = network.heads(mean)
    session = onnxruntime.InferenceSession(str(tmp_path / "encoder.onnx"))
    found = session.run(None, {"ids": ids.numpy()})
    np.testing.assert_allclose(found[0], wanted[0].numpy(), atol=0.02)
    np.testing.assert_allclose(found[1], wanted[1].numpy(), atol=0.02)
    whole = found[3].sum(1) + network.department.bias.detach().numpy()
    np.testing.assert_allclose(whole, found[0], atol=1e-3)


def test_a_base_of_another_shape_is_named(base: Path, tmp_path: Path) -> None:
    from xiaozheng.nlp.train.encoder_network import start_from

    with pytest.raises(ModelError, match="not a fitting BERT checkpoint"):
        start_from(base, 5, 3, 3)
    with pytest.raises(ModelError, match="missing"):
        start_from(tmp_path, 2, 3, 3)
