"""Promotion and rollback: which version is in use, decided by gates and kept in a history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from ..config.errors import InputError, ModelError
from .aliases import ALIASES_NAME, CANDIDATE, CHAMPION, dump_aliases
from .files import locked, replace_files
from .gates import GateResult, Gates, judge_manifests
from .history import (
    HISTORY_NAME,
    Record,
    champions,
    dump_history,
    read_history,
    reconcile,
)
from .manifest import Manifest, read_manifest
from .registry import Artifact, Registry
from .trial import try_model

Alias = Literal["champion", "candidate"]


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants a change, when, and why. `force` overrules gates that are not firm.

    Raises:
        InputError: force without a reason.
    """

    who: str
    when: datetime
    reason: str = ""
    force: bool = False

    def __post_init__(self) -> None:
        if self.force and not self.reason.strip():
            raise InputError(
                "force needs a reason, which is kept in the history",
                message_zh="强制上架须写明理由（--reason），理由会记入历史",
            )

    @property
    def stamp(self) -> str:
        return self.when.astimezone(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Change:
    """What came of an order: an alias of `name` went from `before` to `after`.

    `changed` is False when it was there already; then nothing was written.
    """

    name: str
    alias: str
    before: str | None
    after: str
    changed: bool
    forced: bool = False
    results: tuple[GateResult, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "alias": self.alias,
            "from": self.before,
            "to": self.after,
            "changed": self.changed,
            "forced": self.forced,
            "gates": [result.as_json() for result in self.results],
        }


class PromotionRefusedError(ModelError):
    """A gate refused the version; `change` holds what was judged. Nothing was written."""

    default_code = "promotion_refused"

    def __init__(self, change: Change) -> None:
        self.change = change
        failed = [result for result in change.results if not result.passed]
        reasons = "；".join(f"{result.title}：{result.reason}" for result in failed)
        super().__init__(
            f"{change.name}@{change.after} refused by {', '.join(r.gate for r in failed)}",
            message_zh=f"{change.name}@{change.after} 未通过门槛，champion 不变。{reasons}",
        )

    @property
    def is_firm(self) -> bool:
        """Whether forcing would not help."""
        return any(result.firm and not result.passed for result in self.change.results)


def judge(registry: Registry, ref: str) -> tuple[Artifact | None, tuple[GateResult, ...]]:
    """The firm gates: files as stated, and the model opens and runs. Takes a second or two.

    Raises:
        ModelError: there is no such version.
    """
    try:
        artifact = registry.resolve(ref)
    except ModelError as error:
        if error.code == "no_such_model":
            raise
        return None, (_firm("hash", "文件校验", error),)
    passed = GateResult("hash", "文件校验", None, "相符", "相符", True, firm=True)
    try:
        trial = try_model(artifact)
    except ModelError as error:
        return artifact, (passed, _firm("opens", "试运行", error))
    ran = f"{trial.backend} {trial.precision}"
    return artifact, (passed, GateResult("opens", "试运行", None, ran, "能运行", True, firm=True))


def promote(
    registry: Registry, ref: str, gates: Gates, order: Order, alias: Alias = CHAMPION
) -> Change:
    """Point `champion` (or `candidate`) of a name at a version.

    Metric gates compare with the champion at the moment of the change, under the lock; they do
    not hold for `candidate`, which nothing serves.

    Raises:
        PromotionRefusedError: a gate refused it.
        ModelError: no such version; the shelf is busy, full or not writable.
    """
    name, _, version = registry.ref_of(ref).partition("@")
    artifact, firm = judge(registry, f"{name}@{version}")
    with locked(registry.root):
        shelf = Registry(registry.root)  # nothing remembered from before the lock
        before = shelf.aliases().get(name, {}).get(alias)
        changed = before != version
        results = firm
        if artifact is not None and alias == CHAMPION and changed:
            results += _compare(shelf, artifact, gates, before)
        change = Change(name, alias, before, version, changed, results=results)
        _admit(change, order)
        change = replace(change, forced=not all(result.passed for result in results))
        if changed:
            _commit(shelf, change, order, "promote")
    return change


def rollback(registry: Registry, name: str, order: Order) -> Change:
    """Return a name's champion to the one before; again and again, down to the first.

    The version returned to must be whole and run; figures are not compared.

    Raises:
        PromotionRefusedError: it is not whole or does not run.
        ModelError: code `no_previous` when there is nothing to return to.
    """
    before, version = _previous(registry, name, order.stamp)
    _, firm = judge(registry, f"{name}@{version}")
    change = Change(name, CHAMPION, before, version, True, results=firm)
    if not all(result.passed for result in firm):
        raise PromotionRefusedError(replace(change, changed=False))
    with locked(registry.root):
        shelf = Registry(registry.root)
        if _previous(shelf, name, order.stamp) != (before, version):
            raise ModelError(
                f"{registry.root}: {name} was changed by somebody else meanwhile",
                message_zh=f"{name} 刚被他人改动，请查看后重试",
                code="shelf_busy",
            )
        _commit(shelf, change, order, "rollback")
    return change


def _previous(registry: Registry, name: str, stamp: str) -> tuple[str, str]:
    """The champion and the one before it."""
    current = registry.champion_version(name)
    records = read_history(registry.root)
    records += reconcile(records, name, current, stamp)
    stack = champions(records, name)
    if current is None or len(stack) < 2 or stack[-1] != current:
        raise ModelError(
            f"{registry.root}: the history knows no champion of {name!r} before {current}",
            message_zh=f"{name} 没有可以退回的上一版（现任 {current or '无'}）",
            code="no_previous",
        )
    return current, stack[-2]


def _compare(
    registry: Registry, artifact: Artifact, gates: Gates, champion: str | None
) -> tuple[GateResult, ...]:
    old: Manifest | None = None
    lost: tuple[GateResult, ...] = ()
    name = artifact.manifest.name
    if champion is not None:
        try:
            old = read_manifest(registry.root / name / champion)
        except ModelError as error:
            reason = f"前任 {champion} 的清单无法读取，无从比较（{error.message_zh}）"
            lost = (GateResult("champion", "前任", champion, None, None, False, reason),)
    size = artifact_bytes(artifact)
    return lost + judge_manifests(gates.of(name), artifact.manifest, old, size)


def _admit(change: Change, order: Order) -> None:
    failed = [result for result in change.results if not result.passed]
    if failed and (not order.force or any(result.firm for result in failed)):
        raise PromotionRefusedError(replace(change, changed=False))


def _commit(
    registry: Registry, change: Change, order: Order, action: Literal["promote", "rollback"]
) -> None:
    """Write history and aliases, in this order, each as a whole; the lock is held."""
    aliases = registry.aliases()
    records = read_history(registry.root)
    if change.alias == CHAMPION:
        records += reconcile(records, change.name, change.before, order.stamp)
    record = Record(
        when=order.stamp,
        who=order.who,
        action=action,
        name=change.name,
        alias=change.alias,
        before=change.before,
        after=change.after,
        reason=order.reason,
        forced=change.forced,
        gates=tuple(result.as_json() for result in change.results),
    )
    entry = aliases.setdefault(change.name, {})
    entry[change.alias] = change.after
    if change.alias == CHAMPION and entry.get(CANDIDATE) == change.after:
        del entry[CANDIDATE]
    replace_files(
        {
            registry.root / HISTORY_NAME: dump_history((*records, record)),
            registry.root / ALIASES_NAME: dump_aliases(aliases),
        }
    )


def artifact_bytes(artifact: Artifact) -> int:
    """Size of the model and its companion files."""
    entries = (artifact.manifest.model, *artifact.manifest.files)
    return sum((artifact.folder / entry.name).stat().st_size for entry in entries)


def _firm(gate: str, title: str, error: ModelError) -> GateResult:
    return GateResult(gate, title, None, None, None, False, error.message_zh, firm=True)
