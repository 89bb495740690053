"""What the encoder is trained on: texts with targets, cut into windows of tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from ...config.errors import ModelError
from .encoder_network import BEGIN_ID, END_ID

TOKENIZER_FILE = "tokenizer.json"
# Batches of like lengths are drawn from so many batches' worth of shuffled rows.
POOL_BATCHES = 50


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One text with what is known of it.

    `told` is the same matter told as a call (empty: none); `department` a distribution over the
    departments (K,) or None; `category` an index or −1; `weight` how much the department counts.
    """

    text: str
    told: str
    department: tuple[float, ...] | None
    category: int
    weight: float


@dataclass(frozen=True, slots=True)
class Window:
    """One row of a batch: token ids with both marks, and the row's targets."""

    ids: list[int]
    row: EncoderRow


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How texts become windows of tokens.

    Args:
        max_tokens: of a window, both marks included.
        batch: windows a step.
        told_share: share of rows with a told form that are read in it.
        noise_share: share of rows whose characters are replaced by homophones.
        noise_most: the largest share of a row's characters that are replaced.
        tail_share: share of long texts without department that are read from a random place.
        plain_share: share of the rows without department that are read in an epoch.
    """

    max_tokens: int = 192
    batch: int = 16
    told_share: float = 0.3
    noise_share: float = 0.2
    noise_most: float = 0.35
    tail_share: float = 0.3
    plain_share: float = 0.5


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer beside the base weights, without padding and cutting."""
    path = folder / TOKENIZER_FILE
    if not path.is_file():
        raise ModelError(f"{path}: missing", message_zh=f"缺少分词器：{path}")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Ids of each text without the marks at both ends."""
    return [found.ids for found in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


class EpochMaker:
    """Draws the batches of an epoch; the same seed and epoch give the same batches."""

    def __init__(
        self,
        rows: Sequence[EncoderRow],
        tokenizer: Tokenizer,
        homophones: Mapping[str, str],
        options: TextOptions,
        seed: int,
    ) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._homophones = homophones
        self._options = options
        self._seed = seed
        self._plain = [at for at, row in enumerate(rows) if row.department is None]
        self._named = [at for at, row in enumerate(rows) if row.department is not None]

    def steps(self) -> int:
        """Batches of an epoch."""
        options = self._options
        read = len(self._named) + round(options.plain_share * len(self._plain))
        return -(-read // options.batch)

    def batches(self, epoch: int) -> list[list[Window]]:
        """All batches of one epoch, in order."""
        options = self._options
        # The parts of rows without department that successive epochs read follow one another.
        order = list(self._plain)
        random.Random(self._seed).shuffle(order)
        count = round(options.plain_share * len(order))
        start = epoch * count
        chosen = [order[(start + at) % len(order)] for at in range(count)] if order else []
        rng = random.Random(f"{self._seed}/{epoch}")
        read = [*self._named, *chosen]
        rng.shuffle(read)
        texts = [self._text(self._rows[at], rng) for at in read]
        windows = [
            Window(self._cut(ids, self._rows[at], rng), self._rows[at])
            for at, ids in zip(read, token_ids(self._tokenizer, texts), strict=True)
        ]
        batches = list(_by_length(windows, options.batch))
        rng.shuffle(batches)
        return batches

    def _text(self, row: EncoderRow, rng: random.Random) -> str:
        options = self._options
        text = row.told if row.told and rng.random() < options.told_share else row.text
        if rng.random() < options.noise_share:
            return misheard(text, options.noise_most * rng.random(), self._homophones, rng)
        return text

    def _cut(self, ids: list[int], row: EncoderRow, rng: random.Random) -> list[int]:
        room = self._options.max_tokens - 2
        spare = len(ids) - room
        start = 0
        if spare > 0 and row.department is None and rng.random() < self._options.tail_share:
            start = rng.randrange(spare + 1)
        return [BEGIN_ID, *ids[start : start + room], END_ID]


def _by_length(windows: Sequence[Window], batch: int) -> Iterator[list[Window]]:
    pool = POOL_BATCHES * batch
    for start in range(0, len(windows), pool):
        part = sorted(windows[start : start + pool], key=lambda window: len(window.ids))
        for at in range(0, len(part), batch):
            yield part[at : at + batch]


def misheard(text: str, share: float, homophones: Mapping[str, str], rng: random.Random) -> str:
    """`text` with that share of its characters replaced by others of the same sound."""
    return "".join(
        rng.choice(homophones[char]) if char in homophones and rng.random() < share else char
        for char in text
    )


def head_windows(ids: Sequence[Sequence[int]], max_tokens: int) -> list[list[int]]:
    """The first window of each text, with marks."""
    return [[BEGIN_ID, *row[: max_tokens - 2], END_ID] for row in ids]


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
