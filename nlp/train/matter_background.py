"""Counts of n-grams in hotline texts, for `nlp/matter`: how ordinary each run of characters is.

    python -m xiaozheng.nlp.train.matter_background TEXTS.jsonl… --out background.npz

Only runs that stand in at least `MIN_TEXTS` texts are kept: rarer ones count as new, and no
person's or place's name gets into the file by one message alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ..mask import mask_personal_data
from ..matter.grams import Background, all_keys, reading

MIN_TEXTS = 12


def count_background(texts: Iterable[str], min_texts: int = MIN_TEXTS) -> Background:
    """Texts per n-gram, of those that stand in at least `min_texts`."""
    n_texts = 0
    keys = np.zeros(0, np.uint64)
    counts = np.zeros(0, np.int64)
    pending: list[np.ndarray] = []
    for text in texts:
        pending.append(all_keys(reading(mask_personal_data(text).text))[0])
        n_texts += 1
        if len(pending) == 2_000:
            keys, counts = _merged(keys, counts, pending)
            pending = []
    keys, counts = _merged(keys, counts, pending)
    kept = counts >= min_texts
    return Background(keys[kept], counts[kept], n_texts)


def _merged(
    keys: np.ndarray, counts: np.ndarray, pending: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    every = np.concatenate([keys, *pending])
    weights = np.concatenate([counts, *(np.ones(len(part), np.int64) for part in pending)])
    merged, where = np.unique(every, return_inverse=True)
    return merged, np.bincount(where, weights=weights).astype(np.int64)


def main(
    sources: Annotated[list[Path], typer.Argument(help="JSONL，每行含 text，可有 title")],
    out: Annotated[Path, typer.Option(help="写入此 .npz 文件")],
) -> None:
    """统计热线文本的字符片段，供同一事项比对使用。"""
    rows = (json.loads(line) for path in sources for line in path.read_text("utf-8").splitlines())
    unique = {f"{row.get('title', '')}\n{row['text']}" for row in rows}
    found = count_background(sorted(unique))
    np.savez_compressed(
        out,
        keys=found.keys,
        counts=np.minimum(found.counts, 65_535).astype(np.uint16),
        n_texts=np.int64(found.n_texts),
    )
    typer.echo(f"{found.n_texts} 条文本，{len(found.keys)} 个片段：{out}")


if __name__ == "__main__":
    typer.run(main)
