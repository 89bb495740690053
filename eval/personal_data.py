"""How much personal data the masking finds, and how much else it takes with it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..datasets.texts import read_rows
from ..nlp.mask import PersonalSpan, find_personal_data
from .personal_texts import Sample, ordinary_text, secrets_of

# Besides the secrets' sentences, this share of ordinary ones is read.
ORDINARY_SHARE = 0.5
# Characters round a secret that may go with it (a bracket, an extension's 转).
MARGIN = 2
SPEED_CHARS = 200
SAMPLE_SPANS = 60

Finder = Callable[[str], Sequence[PersonalSpan]]


@dataclass(frozen=True, slots=True)
class Miss:
    """A sentence that was read wrongly: `what` is missed, wrong_kind or false."""

    what: str
    kind: str
    text: str
    part: str


@dataclass(frozen=True, slots=True)
class MaskScore:
    """Counts over generated sentences; see `score_masking`."""

    secrets: Counter[str]
    hidden: Counter[str]
    spans: Counter[str]
    right: Counter[str]
    ordinary_texts: int
    ordinary_touched: int
    misses: tuple[Miss, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "recall": _share(self.hidden.total(), self.secrets.total()),
            "precision": _share(self.right.total(), self.spans.total()),
            "secrets": self.secrets.total(),
            "ordinary_texts": self.ordinary_texts,
            "ordinary_touched": self.ordinary_touched,
            "per_kind": {
                kind: {
                    "recall": _share(self.hidden[kind], n),
                    "precision": _share(self.right[kind], self.spans[kind]),
                    "n": n,
                }
                for kind, n in self.secrets.items()
            },
        }


def score_masking(n: int, seed: int, find: Finder = find_personal_data) -> MaskScore:
    """Read `n` made-up secrets and half as many ordinary sentences.

    A secret is hidden when every character of it is masked. A span is right when it lies on the
    sentence's secret, give or take two characters; its kind does not have to agree, since what
    counts is what is shown; kinds that differ are among the misses.
    """
    rng = random.Random(seed)
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("secrets", "hidden", "spans", "right")
    }
    misses: list[Miss] = []
    for sample in secrets_of(n, rng):
        counts["secrets"][sample.kind] += 1
        misses += _read(sample, find(sample.text), counts)
    n_ordinary = round(n * ORDINARY_SHARE)
    touched = 0
    for _ in range(n_ordinary):
        text = ordinary_text(rng)
        spans = find(text)
        touched += bool(spans)
        counts["spans"].update(span.kind for span in spans)
        misses += [Miss("false", s.kind, text, text[s.start : s.end]) for s in spans]
    return MaskScore(
        **counts, ordinary_texts=n_ordinary, ordinary_touched=touched, misses=tuple(misses)
    )


def _read(
    sample: Sample, spans: Sequence[PersonalSpan], counts: dict[str, Counter[str]]
) -> list[Miss]:
    misses: list[Miss] = []
    secret = sample.text[sample.start : sample.end]
    covered: set[int] = set()
    for span in spans:
        covered.update(range(span.start, span.end))
        fits = sample.start - MARGIN <= span.start and span.end <= sample.end + MARGIN
        counts["spans"][span.kind] += 1
        if not fits or span.end <= sample.start or span.start >= sample.end:
            part = sample.text[span.start : span.end]
            misses.append(Miss("false", span.kind, sample.text, part))
            continue
        counts["right"][span.kind] += 1
        if span.kind != sample.kind:
            misses.append(Miss("wrong_kind", f"{sample.kind}→{span.kind}", sample.text, secret))
    telling = [at for at in range(sample.start, sample.end) if sample.text[at].isalnum()]
    if covered.issuperset(telling) or _only_glue_left(sample.text, telling, covered):
        counts["hidden"][sample.kind] += 1
    else:
        misses.append(Miss("missed", sample.kind, sample.text, secret))
    return misses


def _only_glue_left(text: str, telling: Sequence[int], covered: set[int]) -> bool:
    """Fillers and speaker tags between the pieces of a number may stay."""
    left = "".join(text[at] for at in telling if at not in covered)
    return bool(left) and set(left) <= set("嗯呃啊那个然后就是坐座席市民来电人好的您继续转分机")


def speed(seed: int, texts: int = 2000) -> float:
    """Texts of 200 characters a second and thread, by processor time."""
    rng = random.Random(seed)
    batch: list[str] = []
    while len(batch) < texts:
        text = "".join(sample.text + "。" for sample in secrets_of(2, rng))
        while len(text) < SPEED_CHARS:
            text += ordinary_text(rng) + "，"
        batch.append(text[:SPEED_CHARS])
    find_personal_data(batch[0])
    started = time.process_time()
    for text in batch:
        find_personal_data(text)
    return texts / (time.process_time() - started)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 5) if whole else 0.0


class _Row(BaseModel):
    """A message: its words, whatever else the row holds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str
    title: str = ""


def masked_in(files: Sequence[Path], seed: int) -> tuple[dict[str, Any], list[str]]:
    """Count what is masked in real messages; and up to 60 spans a kind with their surroundings.

    Raises:
        DatasetError: a file that cannot be read as JSONL with a `text` field.
    """
    texts = {
        text for path in files for row in read_rows(path, _Row) for text in (row.title, row.text)
    }
    seen: dict[str, list[str]] = {}
    for text in sorted(texts):
        for span in find_personal_data(text):
            before, after = text[max(0, span.start - 14) : span.start], text[span.end :][:10]
            line = f"{span.kind}\t{before}【{text[span.start : span.end]}】{after}"
            seen.setdefault(span.kind, []).append(line.replace("\n", " "))
    rng = random.Random(seed)
    lines = [
        line for found in seen.values() for line in rng.sample(found, min(len(found), SAMPLE_SPANS))
    ]
    counts = {kind: len(found) for kind, found in sorted(seen.items())}
    return {"texts": len(texts), "spans": counts}, lines
