"""N-grams: exact keys, traced positions, unit rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.config.errors import ModelError
from xiaozheng.nlp.features import (
    SOUND_MARK,
    TITLE_WEIGHT,
    Vocabulary,
    encode,
    feature_text,
    occurrences,
)
from xiaozheng.nlp.train.vocabulary import build_vocabulary, document_counts

SILENT = np.zeros(65536, np.uint16)


def spelt(key: int) -> str:
    return "".join(chr(part) for part in ((key >> s) & 0xFFFF for s in (48, 32, 16, 0)) if part)


def test_only_letters_digits_and_ideographs_are_read() -> None:
    text = feature_text("Wi-Fi 很慢！！２０２３年😀𠀀")
    assert "".join(map(chr, text.chars)) == "wifi很慢00年"
    assert text.origin.tolist()[:2] == [0, 1]
    assert text.origin[4] == "Wi-Fi 很慢".index("很")


def test_every_run_of_one_to_four_characters_is_found_once() -> None:
    found = occurrences([feature_text("路灯不亮了")], SILENT)
    spelled = [spelt(int(key)) for key in found.keys if key < SOUND_MARK]
    body = "路灯不亮了"
    wanted = [body[i : i + n] for n in (1, 2, 3, 4) for i in range(len(body) - n + 1)]
    assert sorted(spelled) == sorted(wanted)


def test_no_run_crosses_texts_or_title_and_body() -> None:
    found = occurrences([feature_text("停水", title="急"), feature_text("停电")], SILENT)
    spelled = {(int(doc), spelt(int(key))) for doc, key in zip(found.doc, found.keys, strict=True)}
    assert (0, "停水") in spelled
    assert (1, "停电") in spelled
    assert not {word for _, word in spelled} & {"急停", "水停"}


def test_the_title_counts_more_and_the_end_of_a_long_call_less() -> None:
    text = feature_text("水" * 600, title="急")
    assert text.weights[0] == TITLE_WEIGHT
    assert text.weights[2] == 1.0
    assert 0 < text.weights[-1] < text.weights[300] < 1.0


def test_homophones_share_their_sound_feature() -> None:
    sounds = SILENT.copy()
    sounds[[ord("期"), ord("其")]] = 7
    sounds[[ord("油"), ord("由")]] = 8
    a = occurrences([feature_text("期油")], sounds)
    b = occurrences([feature_text("其由")], sounds)
    assert set(a.keys[a.keys >= SOUND_MARK]) == set(b.keys[b.keys >= SOUND_MARK])
    assert set(a.keys[a.keys < SOUND_MARK]).isdisjoint(b.keys[b.keys < SOUND_MARK])


@given(st.lists(st.text(alphabet="停水电路灯不亮", max_size=30), min_size=1, max_size=6))
def test_rows_have_unit_length_or_are_empty(bodies: list[str]) -> None:
    texts = [feature_text(body) for body in bodies]
    counts = document_counts([*texts, *texts, *texts], SILENT)
    vocabulary = build_vocabulary(counts, SILENT, max_features=1000)
    found = occurrences(texts, SILENT)
    rows = encode(found, vocabulary.lookup(found.keys), len(texts), vocabulary)
    assert len(rows) == len(texts)
    for at, body in enumerate(bodies):
        values = rows.values[rows.indptr[at] : rows.indptr[at + 1]]
        assert np.sum(values**2) == pytest.approx(1.0 if body else 0.0, abs=1e-5)


@given(st.lists(st.text(alphabet="停水电路灯", max_size=12), min_size=1, max_size=5))
def test_a_batch_gives_what_single_texts_give(bodies: list[str]) -> None:
    texts = [feature_text(body) for body in [*bodies, "停水停电"]]
    vocabulary = build_vocabulary(document_counts(texts * 3, SILENT), SILENT, max_features=1000)

    def row(batch: list[int], at: int) -> list[tuple[int, float]]:
        chosen = [texts[i] for i in batch]
        found = occurrences(chosen, SILENT)
        rows = encode(found, vocabulary.lookup(found.keys), len(chosen), vocabulary)
        span = slice(rows.indptr[at], rows.indptr[at + 1])
        return list(zip(rows.ids[span].tolist(), rows.values[span].tolist(), strict=True))

    everything = list(range(len(texts)))
    for at in everything:
        assert dict(row(everything, at)) == pytest.approx(dict(row([at], 0)))


def test_a_vocabulary_survives_its_file_and_knows_what_it_does_not_know(tmp_path: Path) -> None:
    counts = document_counts([feature_text("停水")] * 3, SILENT)
    vocabulary = build_vocabulary(counts, SILENT, max_features=100)
    path = tmp_path / "v.npz"
    vocabulary.save(path)
    read = Vocabulary.load(path)
    assert np.array_equal(read.keys, vocabulary.keys)
    found = occurrences([feature_text("停电")], SILENT)
    known = [
        spelt(int(k)) for k, i in zip(found.keys, read.lookup(found.keys), strict=True) if i >= 0
    ]
    assert known == ["停"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\x93NUMPY"])
def test_a_broken_vocabulary_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a vocabulary"):
        Vocabulary.load(path)


def test_the_vocabulary_keeps_what_most_texts_have() -> None:
    texts = [feature_text("停水")] * 5 + [feature_text("停电")] * 3 + [feature_text("停车")] * 2
    counts = document_counts(texts, SILENT)
    whole = build_vocabulary(counts, SILENT, max_features=100)
    small = build_vocabulary(counts, SILENT, max_features=4)
    assert {spelt(int(k)) for k in small.keys if k < SOUND_MARK} == {"停", "水", "停水"}
    assert len(whole.keys) > len(small.keys)
