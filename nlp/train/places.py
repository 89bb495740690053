"""From labelled addresses to a place tagger on the shelf, in one reproducible run."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...config.errors import DatasetError, InputError
from ...datasets.conll import TaggedText, read_conll
from ...datasets.texts import read_rows
from ...models.manifest import Label, Manifest, describe_file, sha256_file, write_manifest
from ...models.registry import Artifact
from ..place.alphabet import Alphabet, read_as
from ..place.elements import KINDS_ZH, TAGS
from ..place.score import SpanScore, score_spans
from ..place.tagger import ALPHABET_FILE, STEPS_FILE, PlaceTagger
from ..place.viterbi import allowed_steps
from .places_card import write_places_card
from .places_data import Sources
from .places_export import export_places
from .places_fit import FitOptions, fit_places
from .places_network import MAX_WINDOW, network_from

TRAIN_FILE = "address_ner/train.conll"
DEV_FILE = "address_ner/dev.conll"
MESSAGES_FILE = "teddy_category.train.jsonl"
STREETS_FILE = "gazetteer/streets.csv"
MODEL_FILE = "model.onnx"
RUN_FILE = "run.json"
# An address counts for more than a message when it is decided which characters are known.
_ADDRESS_WEIGHT = 50
_MESSAGES_FOR_CHARS = 4000
_TAG_ZH = {"B": "起", "I": "中", "E": "止", "S": "单"}


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Everything that decides the result."""

    version: str = "0.1.0"
    chars: int = 4200
    fit: FitOptions = field(default_factory=FitOptions)


class _Message(BaseModel):
    """A message's text; other fields do not matter here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str


Progress = Callable[[str, int, int], None]


def train_places(
    data: Path,
    base: Path,
    out: Path,
    options: PlaceOptions,
    *,
    now: datetime,
    progress: Progress,
) -> Path:
    """Train, export, measure and write `<out>/places/<version>/`; returns that folder.

    The state of a killed run lies beside it as `<version>.state.pt` and is gone on from.

    Raises:
        InputError: a version that is taken or malformed.
        DatasetError: missing or broken data files.
        ModelError: base weights that are missing or do not fit.
    """
    target = _free_folder(out, options.version)
    train = read_conll(data / TRAIN_FILE)
    _check_kinds(data / TRAIN_FILE, train)
    messages = [row.text for row in read_rows(data / MESSAGES_FILE, _Message)]
    alphabet = _alphabet(train, messages, data / STREETS_FILE, options.chars)
    network = network_from(base, alphabet, options.fit.layers)
    state = target.with_name(f"{target.name}.state.pt")
    fit_places(
        network,
        Sources.of(train, messages),
        alphabet,
        options.fit,
        state,
        lambda done, total: progress("训练", done, total),
    )
    folder = target.with_name(f"{target.name}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    export_places(network, folder / MODEL_FILE)
    (folder / ALPHABET_FILE).write_text(alphabet.chars, encoding="utf-8")
    steps, starts, ends = allowed_steps()
    np.savez_compressed(folder / STEPS_FILE, steps=steps, starts=starts, ends=ends)
    files = [data / name for name in (TRAIN_FILE, MESSAGES_FILE, STREETS_FILE)]
    run = {
        "options": asdict(options),
        "data_hash": hashlib.sha256("".join(map(sha256_file, files)).encode()).hexdigest(),
        "created": now.isoformat(timespec="seconds"),
        "texts": len(train),
        "messages": len(messages),
    }
    score = _measured(folder, options, run, read_conll(data / DEV_FILE), progress)
    run["metrics"] = {"address_ner_dev": score.to_dict()}
    (folder / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    manifest = _manifest(folder, options, run, (MODEL_FILE, ALPHABET_FILE, STEPS_FILE, RUN_FILE))
    write_manifest(folder, manifest)
    write_places_card(folder, manifest, run)
    folder.rename(target)
    state.unlink(missing_ok=True)
    return target


def _measured(
    folder: Path,
    options: PlaceOptions,
    run: dict[str, Any],
    dev: Sequence[TaggedText],
    progress: Progress,
) -> SpanScore:
    """Strict span figures of the very file that is shipped."""
    draft = _manifest(folder, options, run, (MODEL_FILE, ALPHABET_FILE, STEPS_FILE))
    tagger = PlaceTagger(Artifact(folder, draft))
    found = tagger.tag([text.text for text in dev])
    progress("评测", len(dev), len(dev))
    return score_spans([t.text for t in dev], [t.tags for t in dev], [f.elements for f in found])


def _alphabet(
    train: Sequence[TaggedText], messages: Sequence[str], streets: Path, n_chars: int
) -> Alphabet:
    counts: Counter[str] = Counter()
    for text in train:
        for char in read_as(text.text):
            counts[char] += _ADDRESS_WEIGHT
    for message in messages[:_MESSAGES_FOR_CHARS]:
        counts.update(read_as(message))
    for name in _street_names(streets):
        counts.update(read_as(name))
    usual = [char for char, _ in counts.most_common(n_chars) if not char.isspace()]
    return Alphabet("".join(sorted(usual)))


def _street_names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[1:]
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(
            f"{path}: cannot be read: {reason}", message_zh=f"{path}：无法读取（{reason}）"
        ) from None
    return [line.split(",")[1].strip('"') for line in lines if line.count(",") > 1]


def _check_kinds(path: Path, texts: Sequence[TaggedText]) -> None:
    known = set(TAGS)
    for text in texts:
        if strange := set(text.tags) - known:
            raise DatasetError(
                f"{path}: unknown tags {sorted(strange)} in {text.text[:20]!r}",
                message_zh=f"{path}：标签 {'、'.join(sorted(strange))} 不在要素表中",
            )


def _manifest(
    folder: Path, options: PlaceOptions, run: dict[str, Any], files: Sequence[str]
) -> Manifest:
    return Manifest(
        name="places",
        version=options.version,
        task="places",
        model=describe_file(folder / MODEL_FILE),
        files=tuple(describe_file(folder / name) for name in files if name != MODEL_FILE),
        labels=tuple(Label(name=tag, zh=_tag_zh(tag)) for tag in TAGS),
        input={
            "name": "ids",
            "dtype": "int64",
            "layout": "(N, L) line numbers of the alphabet plus 2; 1 unknown, 0 padding",
            "window": MAX_WINDOW,
        },
        output={"name": "scores", "dtype": "float32", "layout": "(N, L, labels)"},
        metrics=run.get("metrics", {}),
        data_hash=run["data_hash"],
        data=(TRAIN_FILE, MESSAGES_FILE, STREETS_FILE),
        base="multilingual-e5-small, lowest layers, single characters (MIT)",
        licence="AGPL-3.0-or-later",
        created=run["created"],
    )


def _tag_zh(tag: str) -> str:
    return "无" if tag == "O" else f"{KINDS_ZH[tag[2:]]}·{_TAG_ZH[tag[0]]}"


def _free_folder(out: Path, version: str) -> Path:
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise InputError(f"version {version!r}: must look like 1.2.3")
    folder = out / "places" / version
    if folder.exists():
        raise InputError(
            f"{folder}: exists already; choose another version",
            message_zh=f"{folder} 已存在，请换一个版本号",
        )
    return folder
