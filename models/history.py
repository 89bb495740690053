"""The shelf's history: who made which version the champion, when and why.

`history.jsonl` has one record a line. A record is on the disk before the alias file follows it, so
no version is ever in use without one. Should the process die between the two, the alias file still
has the old version: the next change notes that record as `void`. An alias file that was edited by
hand is noted as `observed`. The versions that `rollback` returns to are computed from the records.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from ..config.errors import ModelError
from .aliases import CHAMPION

HISTORY_NAME: Final = "history.jsonl"
Action = Literal["promote", "rollback", "observed", "void"]


@dataclass(frozen=True, slots=True)
class Record:
    """One change of an alias.

    Attributes:
        when: ISO 8601, UTC.
        who: the person, as given or as logged in.
        before, after: versions; None where there was none.
        reason: why, as given.
        forced: gates refused it and were overruled.
        gates: the judged gates, as `GateResult.as_json` gives them.
    """

    when: str
    who: str
    action: Action
    name: str
    alias: str
    before: str | None
    after: str | None
    reason: str = ""
    forced: bool = False
    gates: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record as the file and `--json` have it."""
        return {
            "when": self.when,
            "who": self.who,
            "action": self.action,
            "name": self.name,
            "alias": self.alias,
            "from": self.before,
            "to": self.after,
            "reason": self.reason,
            "forced": self.forced,
            "gates": list(self.gates),
        }


def read_history(root: Path) -> tuple[Record, ...]:
    """All records, oldest first; none without the file.

    Raises:
        ModelError: a line is not a record; the text names file and line.
    """
    path = root / HISTORY_NAME
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read: {error.strerror}", message_zh=f"无法读取模型历史：{path}"
        ) from None
    return tuple(_record(line, f"{path}:{number}") for number, line in enumerate(lines, 1))


def dump_history(records: Sequence[Record]) -> bytes:
    """The file's bytes."""
    lines = [json.dumps(record.as_json(), ensure_ascii=False) for record in records]
    return "".join(line + "\n" for line in lines).encode("utf-8")


def of_champion(records: Sequence[Record], name: str) -> list[Record]:
    """The records that took effect on one name's champion, oldest first."""
    kept: list[Record] = []
    for record in records:
        if (record.name, record.alias) != (name, CHAMPION):
            continue
        if record.action != "void":
            kept.append(record)
        elif kept:
            kept.pop()
    return kept


def champions(records: Sequence[Record], name: str) -> list[str]:
    """Champions one above the other, the present one last: each rollback takes one off."""
    stack: list[str] = []
    for record in of_champion(records, name):
        if record.action == "rollback" and len(stack) > 1:
            stack.pop()
            continue
        if not stack and record.before is not None:
            stack.append(record.before)
        if record.after is not None:
            stack.append(record.after)
    return stack


def reconcile(
    records: Sequence[Record], name: str, current: str | None, when: str
) -> tuple[Record, ...]:
    """Records that are missing because a process died or somebody edited the alias file."""
    applied = of_champion(records, name)
    if not applied or applied[-1].after == current:
        return ()
    last = applied[-1]
    undone = last.before == current
    reason = "登记后未生效（进程中断）或被手工改回" if undone else "别名文件在本工具之外被改动"
    action: Action = "void" if undone else "observed"
    return (Record(when, "", action, name, CHAMPION, last.after, current, reason),)


def _record(line: bytes, where: str) -> Record:
    try:
        data = json.loads(line)
        if data["action"] not in get_args(Action):
            raise ValueError(f"unknown action {data['action']!r}")
        return Record(
            when=str(data["when"]),
            who=str(data["who"]),
            action=data["action"],
            name=str(data["name"]),
            alias=str(data["alias"]),
            before=_version(data["from"]),
            after=_version(data["to"]),
            reason=str(data["reason"]),
            forced=bool(data["forced"]),
            gates=tuple(data["gates"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{where}: not a record of the history: {error}",
            message_zh=f"{where}：模型历史记录无效",
        ) from None


def _version(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not a version")
