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

LINEAR_VERSION, VERSION = "8.0.0", "9.0.0"
FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "encoder"
OF_THE_ENCODER = (ENCODER_FILE, TOKENIZER_FILE, TUNING_FILE)


def linear_registry(root: Path) -> Registry:
    """Write a shelf with the shipped router's linear model alone."""
    _write(root, LINEAR_VERSION, {}, {})
    return Registry(root)


def encoder_registry(
    root: Path, *, rows: TuningRows | None = None, rules: Mapping[str, Any] = {}, **extra: Any
) -> Registry:
    """Write the shelf. `rules` of the encoder and `extra` of the manifest replace the defaults."""
    added = {name: FIXTURE / name for name in (ENCODER_FILE, TOKENIZER_FILE)}
    if rows is not None:
        root.mkdir(parents=True, exist_ok=True)
        rows.save(root / TUNING_FILE)
        added[TUNING_FILE] = root / TUNING_FILE
    shape = Calibration(3.0, 1.0, 1.0, (0.0,) * 26)
    data = {
        "encoder": {"max_tokens": 12, "max_windows": 3, "stride": 10, **rules},
        "blend": {
            "department": Blend(0.5, shape).to_manifest(),
            "category": Blend(0.5, Calibration(3.0, 1.0, 1.0, (0.0,) * 7)).to_manifest(),
        },
        **extra,
    }
    _write(root, VERSION, added, data)
    return Registry(root)


def _write(root: Path, version: str, added: Mapping[str, Path], extra: Mapping[str, Any]) -> None:
    source = Registry().resolve("router")
    folder = root / "router" / version
    folder.mkdir(parents=True)
    manifest = read_manifest(source.folder)
    kept = [entry.name for entry in manifest.files if entry.name not in OF_THE_ENCODER]
    for name in (manifest.model.name, *kept, "CARD.md"):
        shutil.copyfile(source.folder / name, folder / name)
    for name, path in added.items():
        shutil.copyfile(path, folder / name)
    of_both = ("encoder", "blend", "scope", "decision")
    plain = {key: value for key, value in manifest.extra.items() if key not in of_both}
    changed = {
        "version": version,
        "files": tuple(describe_file(folder / name) for name in (*kept, *added)),
        "extra": {**plain, **extra},
    }
    write_manifest(folder, manifest.model_copy(update=changed))
    shutil.copyfile(source.folder.parents[1] / "gates.yaml", root / "gates.yaml")
    (root / "aliases.json").write_text(f'{{"router": {{"champion": "{version}"}}}}')


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
