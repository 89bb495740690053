"""A shelf whose router is the shipped linear model with the tests' word encoder beside it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xiaozheng.models.manifest import describe_file, read_manifest, write_manifest
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.blend import Blend
from xiaozheng.nlp.calibrate import Calibration
from xiaozheng.nlp.encoder import ENCODER_FILE, TOKENIZER_FILE
from xiaozheng.nlp.train.thresholds import TUNING_FILE, TuningRows

LINEAR = "router@0.1.0"
VERSION = "9.0.0"
FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "encoder"


def encoder_registry(
    root: Path, *, rows: TuningRows | None = None, rules: Mapping[str, Any] = {}, **extra: Any
) -> Registry:
    """Write the shelf. `rules` of the encoder and `extra` of the manifest replace the defaults."""
    source = Registry().resolve(LINEAR)
    folder = root / "router" / VERSION
    shutil.copytree(source.folder, folder)
    for name in (ENCODER_FILE, TOKENIZER_FILE):
        shutil.copyfile(FIXTURE / name, folder / name)
    companions = [*(f.name for f in source.manifest.files), ENCODER_FILE, TOKENIZER_FILE]
    if rows is not None:
        rows.save(folder / TUNING_FILE)
        companions.append(TUNING_FILE)
    (folder / "manifest.json").unlink()
    shape = Calibration(3.0, 1.0, 1.0, (0.0,) * 26)
    data = {
        **source.manifest.extra,
        "encoder": {"max_tokens": 12, "max_windows": 3, "stride": 10, **rules},
        "blend": {
            "department": Blend(0.5, shape).to_manifest(),
            "category": Blend(0.5, Calibration(3.0, 1.0, 1.0, (0.0,) * 7)).to_manifest(),
        },
        **extra,
    }
    files = tuple(describe_file(folder / name) for name in companions)
    manifest = read_manifest(source.folder).model_copy(
        update={"version": VERSION, "files": files, "extra": data}
    )
    write_manifest(folder, manifest)
    shutil.copyfile(source.folder.parents[1] / "gates.yaml", root / "gates.yaml")
    (root / "aliases.json").write_text(f'{{"router": {{"champion": "{VERSION}"}}}}')
    return Registry(root)


def made_up_rows(n: int = 4000, k: int = 26, seed: int = 3) -> TuningRows:
    """Calibrated answers: the truth is drawn from each row's own probabilities."""
    rng = np.random.default_rng(seed)
    sharp = rng.choice([0.3, 1.0, 6.0, 14.0], size=(n, 1))
    logits = rng.normal(size=(n, k)) * sharp
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    labels = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    seconds = np.where(rng.random(n) < 0.3, np.argsort(-p, axis=1)[:, 1], -1)
    return TuningRows(p, labels, seconds)
