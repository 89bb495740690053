"""Windows, pooling and shares of the encoder, on one that knows a few words."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from encoder_shelf import encoder_registry
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaozheng.config.errors import ModelError
from xiaozheng.nlp.encoder import MAX_CELLS, TextReader, WindowRules, batches_by_length

CHENGGUAN, JIAOJING = 0, 1
BIAS = 0.5


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> TextReader:
    root = tmp_path_factory.mktemp("shelf")
    artifact = encoder_registry(root, rules={"first_weight": 3.0}).resolve("router")
    return TextReader(artifact, backend="onnxruntime")


def test_a_short_text_is_one_window_and_its_shares_add_up(reader: TextReader) -> None:
    text = "我们的路灯没有人修"
    found = reader.read([text])
    # ▁ 我 们 的 路灯 没 有 人 修 and two marks: one of eleven tokens speaks, with strength 8.
    assert found.tokens.tolist() == [9]
    assert found.department[0, CHENGGUAN] == pytest.approx(8 / 11 + BIAS, abs=1e-5)
    assert found.department[0, JIAOJING] == pytest.approx(BIAS, abs=1e-5)
    assert found.chars_read.tolist() == [len(text)]
    assert np.linalg.norm(found.embedding[0]) == pytest.approx(1, abs=1e-5)
    (support,) = found.support(np.eye(26)[[CHENGGUAN]])
    at = text.index("路灯")
    assert support[at : at + 2] == pytest.approx([4 / 11, 4 / 11], abs=1e-5)
    assert support.sum() == pytest.approx(8 / 11, abs=1e-5)


def test_a_long_text_is_read_in_windows_the_first_counts_more_and_the_cut_is_told(
    reader: TextReader,
) -> None:
    first, rest = "红绿灯" * 9, "路灯" * 30
    found = reader.read([first + rest, first])
    # 1 + 9 + 30 tokens; three windows of ten are read: ▁ and nine 红绿灯, then twice ten 路灯.
    assert found.tokens.tolist() == [40, 10]
    assert found.chars_read.tolist() == [len(first) + 2 * 20, len(first)]
    share = 3 * 10 / (3 * 10 + 10 + 10)
    assert found.department[0, JIAOJING] == pytest.approx(share * 8 * 9 / 12 + BIAS, abs=1e-5)
    assert found.department[0, CHENGGUAN] == pytest.approx(
        (1 - share) * 8 * 10 / 12 + BIAS, abs=1e-5
    )
    (support, _) = found.support(np.eye(26)[[CHENGGUAN, CHENGGUAN]])
    assert support.sum() == pytest.approx((1 - share) * 8 * 10 / 12, abs=1e-5)
    assert (support[len(first) + 40 :] == 0).all()


def test_a_batch_gives_what_single_texts_give_and_odd_texts_are_read(reader: TextReader) -> None:
    texts = ["", "a", "😀\u200b", "路灯" * 40, "垃圾没有人修，" * 7, " ", "\ufffd" * 30]
    together = reader.read(texts)
    for at, text in enumerate(texts):
        alone = reader.read([text])
        assert alone.department[0] == pytest.approx(together.department[at], abs=1e-5)
        assert alone.embedding[0] == pytest.approx(together.embedding[at], abs=1e-5)
        assert alone.chars_read[0] == together.chars_read[at]
    supports = together.support(np.ones((len(texts), 26)))
    assert [len(values) for values in supports] == [len(text) for text in texts]


@given(st.integers(0, 2000), st.integers(3, 64), st.integers(1, 9), st.integers(1, 62))
@settings(max_examples=200, deadline=None)
def test_windows_cover_the_text_in_order(n: int, max_tokens: int, most: int, stride: int) -> None:
    room = max_tokens - 2
    rules = WindowRules(max_tokens, most, min(stride, room))
    ranges = rules.ranges(n)
    assert 1 <= len(ranges) <= most
    assert ranges[0][0] == 0
    assert all(0 <= end - start <= room for start, end in ranges)
    assert all(b <= e and e <= f for (_, e), (b, f) in itertools.pairwise(ranges))
    if len(ranges) < most:
        assert ranges[-1][1] == n
    assert n == 0 or all(end > start for start, end in ranges)


def test_batches_are_bounded_whatever_comes() -> None:
    lengths = [int(n) for n in np.random.default_rng(1).integers(2, 193, 3000)]
    batches = list(batches_by_length(lengths))
    assert sorted(at for batch in batches for at in batch) == list(range(3000))
    assert all(len(batch) * max(lengths[at] for at in batch) <= MAX_CELLS for batch in batches)


@pytest.mark.parametrize("rules", [{"max_tokens": 2}, {"stride": 11}, {"max_windows": "x"}])
def test_rules_that_make_no_windows_are_refused(tmp_path: Path, rules: dict[str, object]) -> None:
    artifact = encoder_registry(tmp_path, rules=rules).resolve("router")
    with pytest.raises(ModelError, match="encoder"):
        TextReader(artifact, backend="onnxruntime")
