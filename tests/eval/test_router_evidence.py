"""Evidence words carry the decision."""

from __future__ import annotations

import json
from pathlib import Path

from xiaozheng.eval.router_evidence import faithfulness
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.transcript import Transcript


def test_deleting_evidence_hurts_clearly_more_than_deleting_other_words(repo_dir: Path) -> None:
    path = repo_dir / "datasets/samples/transcripts.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    calls = [Transcript(row["id"], row["text"], "标题") for row in rows[:30]]
    seen: list[tuple[int, int]] = []
    router = Router.open(Registry())
    found = faithfulness(
        router,
        [*calls, Transcript("e", "😀")],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert 15 < found.n <= 30
    assert found.evidence > 0.05
    assert found.evidence > 5 * abs(found.chance)
    assert found.stronger > 0.8
    assert seen[-1] == (31, 31)
    assert faithfulness(router, [Transcript("e", "😀")]).n == 0
