"""Promotion by gates, rollback by history, and what a crash or a second promoter may not spoil."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from models_support import make_version

from xiaozheng.config.errors import ConfigError, InputError, ModelError
from xiaozheng.models.audit import audit
from xiaozheng.models.files import locked
from xiaozheng.models.gates import Gates, judge_manifests, load_gates
from xiaozheng.models.history import Record, dump_history, of_champion, read_history
from xiaozheng.models.manifest import Label, read_manifest
from xiaozheng.models.promote import Change, Order, PromotionRefusedError, promote, rollback
from xiaozheng.models.registry import Registry

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
FORCED = Order("王工", NOW, "试用", force=True)


def order(reason: str = "") -> Order:
    return Order("李工", NOW, reason)


def raise_to(root: Path, version: str, how: Order | None = None) -> Change:
    return promote(Registry(root), f"colours@{version}", load_gates(root), how or order())


def refused_by(root: Path, version: str) -> dict[str, str]:
    """Gate → reason, of a promotion that must be refused and must change nothing."""
    before = {path: path.read_bytes() for path in root.glob("*.*")}
    with pytest.raises(PromotionRefusedError) as caught:
        raise_to(root, version)
    assert {path: path.read_bytes() for path in root.glob("*.*")} == before
    results = caught.value.change.results
    return {result.gate: result.reason for result in results if not result.passed}


def champion(root: Path) -> str | None:
    return Registry(root).champion_version("colours")


def test_a_better_version_becomes_champion_and_the_history_says_so(gated: Path) -> None:
    change = raise_to(gated, "1.1.0", order("新数据"))
    assert (change.before, change.after, change.forced) == ("1.0.0", "1.1.0", False)
    assert Registry(gated).aliases() == {"colours": {"champion": "1.1.0"}}, "no more a candidate"
    (record,) = read_history(gated)
    assert (record.who, record.reason, record.when) == (
        "李工",
        "新数据",
        "2026-11-24T08:00:00+00:00",
    )
    assert {gate["gate"] for gate in record.gates} >= {"hash", "opens", "street.bin.ap50"}
    assert not raise_to(gated, "1.1.0").changed
    assert len(read_history(gated)) == 1


def test_a_fall_and_a_missing_figure_are_refused(gated: Path) -> None:
    assert refused_by(gated, "1.2.0") == {"street.bin.ap50": "比前任下降 0.0500，最多允许 0.02"}
    assert refused_by(gated, "1.3.0") == {"street.bin.false": "新版没有这个指标"}


@pytest.mark.parametrize(
    ("gate", "passes"),
    [
        ("{ path: street.bin.ap50, max_loss: 0.05 }", True),
        ("{ path: street.bin.ap50, max_loss: 0.0499 }", False),
        ("{ path: street.bin.ap50, max_loss: 1, bound: 0.75 }", True),
        ("{ path: street.bin.ap50, max_loss: 1, bound: 0.76 }", False),
        ("{ path: street.bin.ap50, better: lower, max_loss: 0 }", True),
        ("{ path: street.bin.ap50, better: lower, max_loss: 0, bound: 0.7 }", False),
        ("{ path: street.pictures, max_loss: 0 }", True),
        ("{ path: street.bin, max_loss: 0 }", False),
    ],
)
def test_limits_hold_to_the_digit(gated: Path, gate: str, passes: bool) -> None:
    text = f"models: {{ colours: {{ metrics: [{gate}] }} }}"
    (gated / "gates.yaml").write_text(text, encoding="utf-8")
    if passes:
        assert raise_to(gated, "1.2.0").changed
    else:
        assert len(refused_by(gated, "1.2.0")) == 1


def test_force_is_recorded_and_needs_a_reason(gated: Path) -> None:
    with pytest.raises(InputError, match="reason"):
        Order("王工", NOW, " ", force=True)
    assert raise_to(gated, "1.2.0", FORCED).forced
    (record,) = read_history(gated)
    assert (record.forced, record.reason, record.who) == (True, "试用", "王工")
    assert not raise_to(gated, "1.1.0", FORCED).forced, "nothing had to be overruled"


def test_what_is_altered_or_does_not_run_is_never_forced(gated: Path) -> None:
    path = gated / "colours" / "1.1.0" / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    labels = tuple(Label(name=name, zh=name) for name in ("car", "bin"))
    make_version(gated / "colours" / "2.0.0", "2.0.0", labels=labels)
    for version, gate in (("1.1.0", "hash"), ("2.0.0", "opens")):
        with pytest.raises(PromotionRefusedError) as caught:
            raise_to(gated, version, FORCED)
        assert caught.value.is_firm
        assert [r.gate for r in caught.value.change.results if r.firm and not r.passed] == [gate]
    assert champion(gated) == "1.0.0"


def test_labels_input_and_size_are_gates_too(gated: Path) -> None:
    old = read_manifest(gated / "colours" / "1.0.0")
    swapped = (old.labels[1], old.labels[0], *old.labels[2:])
    make_version(
        gated / "colours" / "2.0.0",
        "2.0.0",
        labels=swapped,
        input={**old.input, "size": 512},
        metrics={"street": {"pictures": 80, "bin": {"ap50": 0.9, "false": 0.0}}},
    )
    assert refused_by(gated, "2.0.0") == {"labels": "顺序变了", "input": "size：640 → 512"}
    own = "labels: any\n    input_may_change: [size]\n    max_bytes: 1000\n    measured_on"
    text = (gated / "gates.yaml").read_text(encoding="utf-8").replace("measured_on", own)
    (gated / "gates.yaml").write_text(text, encoding="utf-8")
    assert list(refused_by(gated, "2.0.0")) == ["size"]
    (gated / "gates.yaml").write_text(text.replace("1000", "10000"), encoding="utf-8")
    remarks = [r.gate for r in raise_to(gated, "2.0.0").results if r.reason]
    assert remarks == ["labels", "input", "street.pictures"], "measured on other data: it is said"


def test_the_first_champion_only_has_to_pass_the_bounds(gated: Path) -> None:
    (gated / "aliases.json").unlink()
    assert raise_to(gated, "1.2.0").before is None
    with pytest.raises(ModelError, match="no champion"):
        rollback(Registry(gated), "colours", order())


def test_rollback_goes_back_step_by_step(gated: Path) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        raise_to(gated, version, FORCED)
    registry = Registry(gated)
    for version in ("1.2.0", "1.1.0"):
        assert rollback(registry, "colours", order()).after == champion(gated) == version
    raise_to(gated, "1.3.0", FORCED)
    for version in ("1.1.0", "1.0.0"):
        assert rollback(registry, "colours", order()).after == champion(gated) == version
    with pytest.raises(ModelError) as caught:
        rollback(registry, "colours", order())
    assert caught.value.code == "no_previous"


def test_rollback_refuses_a_previous_version_that_was_altered(gated: Path) -> None:
    raise_to(gated, "1.1.0")
    (gated / "colours" / "1.0.0" / "model.onnx").write_bytes(b"")
    with pytest.raises(PromotionRefusedError):
        rollback(Registry(gated), "colours", order())
    assert champion(gated) == "1.1.0"


def test_a_record_that_never_took_effect_is_void(gated: Path) -> None:
    """The process died after the history was replaced and before the alias file was."""
    raise_to(gated, "1.1.0")
    lost = Record("2026", "王工", "promote", "colours", "champion", "1.1.0", "1.3.0")
    (gated / "history.jsonl").write_bytes(dump_history((*read_history(gated), lost)))
    assert rollback(Registry(gated), "colours", order()).after == "1.0.0"
    assert [r.action for r in read_history(gated)] == ["promote", "promote", "void", "rollback"]


def test_an_alias_file_edited_by_hand_is_noted_and_can_be_rolled_back(gated: Path) -> None:
    raise_to(gated, "1.1.0")
    (gated / "aliases.json").write_text('{"colours": {"champion": "1.2.0"}}', encoding="utf-8")
    assert rollback(Registry(gated), "colours", order()).after == "1.1.0"
    observed = read_history(gated)[1]
    assert (observed.action, observed.before, observed.after) == ("observed", "1.1.0", "1.2.0")


@pytest.mark.parametrize("line", ["{", "[]", '{"action": "sing"}', "\x00"])
def test_a_broken_history_is_named_by_line_and_never_overwritten(gated: Path, line: str) -> None:
    raise_to(gated, "1.1.0")
    path = gated / "history.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    kept = path.read_bytes()
    with pytest.raises(ModelError, match=r"history\.jsonl:2"):
        raise_to(gated, "1.3.0", FORCED)
    assert (path.read_bytes(), champion(gated)) == (kept, "1.1.0")


def test_gates_are_read_with_file_and_line(gated: Path) -> None:
    text = "models:\n  colours:\n    metrics:\n      - { path: a, max_loss: -1 }\n"
    (gated / "gates.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"gates\.yaml:4: models\.colours\.metrics\.0\.max_loss"):
        load_gates(gated)
    (gated / "gates.yaml").unlink()
    assert load_gates(gated) == Gates()


def test_the_shipped_champions_pass_their_own_gates() -> None:
    """A gate with a mistyped path would refuse every version to come."""
    registry = Registry()
    gates = load_gates(registry.root)
    assert set(gates.models) == set(registry.aliases())
    for name in gates.models:
        manifest = registry.resolve(name).manifest
        assert gates.of(name).metrics
        results = judge_manifests(gates.of(name), manifest, manifest, size=1)
        assert [result.gate for result in results if result.reason] == []


def test_a_shelf_held_by_another_process_is_not_waited_for_for_ever(gated: Path) -> None:
    with locked(gated), pytest.raises(ModelError) as caught, locked(gated, wait_s=0.05):
        pass
    assert caught.value.code == "shelf_busy"


PROMOTER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from xiaozheng.models.gates import Gates
from xiaozheng.models.promote import Order, promote
from xiaozheng.models.registry import Registry

root, count = Path(sys.argv[1]), int(sys.argv[2])
for i in range(count):
    if i == 1:
        print("busy", flush=True)
    ref = f"colours@1.{(i + int(sys.argv[3])) % 4}.0"
    promote(Registry(root), ref, Gates(), Order("x", datetime.now(UTC), "y", force=True))
"""


def start_promoter(root: Path, count: int, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROMOTER, str(root), str(count), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_promoters_at_once_leave_one_unbroken_history(gated: Path) -> None:
    workers = [start_promoter(gated, 6, first) for first in (0, 2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    records = read_history(gated)
    assert {record.action for record in records} == {"promote"}
    assert all(old.after == new.before for old, new in pairwise(records))
    assert records[-1].after == champion(gated)


def test_a_killed_promoter_leaves_a_whole_shelf(gated: Path) -> None:
    moments = random.Random(5)
    for _ in range(5):
        worker = start_promoter(gated, 1_000, 1)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "busy\n"
        time.sleep(moments.uniform(0.0, 0.4))
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        worker.stdout.close()
        json.loads((gated / "aliases.json").read_text(encoding="utf-8"))
        assert Registry(gated).resolve("colours").manifest.version == champion(gated)
        read_history(gated)
    other = "1.1.0" if champion(gated) != "1.1.0" else "1.2.0"
    raise_to(gated, other, FORCED)
    applied = of_champion(read_history(gated), "colours")
    assert len(applied) > 5
    assert all(old.after == new.before for old, new in pairwise(applied))
    assert all(finding.is_fine for finding in audit(Registry(gated)))
