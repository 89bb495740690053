"""What the encoder is trained on: texts with targets, cut into windows of tokens."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from ...config.errors import ModelError
from .encoder_network import BEGIN_ID, END_ID

TOKENIZER_FILE = "tokenizer.json"
NOISE_SEED = 30


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One text with what is known of it.

    `lead` characters of `text` are the headline and its full stop; `told` is the same matter told
    as a call (empty: none); `department` a distribution over the
    departments (K,) or None; `category` an index or −1; `weight` how much the department counts.
    """

    text: str
    lead: int
    told: str
    department: tuple[float, ...] | None
    category: int
    weight: float


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How texts become windows of tokens.

    Args:
        max_tokens: of a window, both marks included.
        max_windows: of a text.
        noise_most: training's misheard form has up to this share of other characters.
        test_noise: share of other characters in the misheard form that is measured.
    """

    max_tokens: int = 160
    max_windows: int = 3
    noise_most: float = 0.35
    test_noise: float = 0.3


FORMS = ("written", "told", "misheard", "noisy")
"""Forms of a row: as written; told as a call; written, with `test_noise` of its characters
replaced by homophones; either of the first two with a random share replaced (for training)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One window of one form of a row, with both marks."""

    row: int
    form: str
    ids: tuple[int, ...]


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer beside the base weights, without padding and cutting."""
    path = folder / TOKENIZER_FILE
    if not path.is_file():
        raise ModelError(f"{path}: missing", message_zh=f"缺少分词器：{path}")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def row_forms(
    rows: Sequence[EncoderRow], homophones: Mapping[str, str], options: TextOptions
) -> list[tuple[int, str, str]]:
    """Row number, form and text of all forms; rows without department are only written."""
    rng = random.Random(NOISE_SEED)
    texts: list[tuple[int, str, str]] = []
    for at, row in enumerate(rows):
        texts.append((at, "written", row.text))
        if row.department is not None:
            measured = misheard(row.text, options.test_noise, homophones, rng)
            source = row.told if row.told and rng.random() < 0.5 else row.text
            noisy = misheard(source, options.noise_most * rng.random(), homophones, rng)
            texts += [(at, "misheard", measured), (at, "noisy", noisy)]
            texts += [(at, "told", row.told)] if row.told else []
    return texts


def cut_rows(
    rows: Sequence[EncoderRow],
    tokenizer: Tokenizer,
    homophones: Mapping[str, str],
    options: TextOptions,
) -> list[Piece]:
    """All windows of all forms; of other forms than the written one the first window only."""
    texts = row_forms(rows, homophones, options)
    pieces: list[Piece] = []
    found = tokenizer.encode_batch([text for _, _, text in texts], add_special_tokens=False)
    for (at, form, _), encoding in zip(texts, found, strict=True):
        most = options.max_windows if form == "written" else 1
        for ids in text_windows(encoding.ids, options.max_tokens, most):
            pieces.append(Piece(at, form, tuple(ids)))
    return pieces


def misheard(text: str, share: float, homophones: Mapping[str, str], rng: random.Random) -> str:
    """`text` with that share of its characters replaced by others of the same sound."""
    return "".join(
        rng.choice(homophones[char]) if char in homophones and rng.random() < share else char
        for char in text
    )


def text_windows(ids: Sequence[int], max_tokens: int, most: int) -> list[list[int]]:
    """Up to `most` windows that follow one another, with marks; an empty text has one."""
    room = max_tokens - 2
    starts = range(0, max(len(ids), 1), room)[:most]
    return [[BEGIN_ID, *ids[start : start + room], END_ID] for start in starts]


def read_homophones(path: Path) -> dict[str, str]:
    """Other characters of the same sound and tone for each character (pycorrector's table)."""
    table: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        char, *others = line.split("\t")
        if len(char) == 1 and others and others[0]:
            table[char] = others[0]
    return table
