"""What the `datasets` verbs share: progress on stderr, and how problems are listed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ..datasets.problems import KINDS_ZH, Problem
from ..datasets.scan import Watch
from .common import err, out

SHOWN = 30
"""Problems spelled out on a terminal; all of them are in the file or the JSON."""


@contextmanager
def watched() -> Iterator[Watch]:
    """A bar on stderr for every job that tells how far it is."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def watch(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title, total=total)
            bars.update(tasks[title], completed=done, total=total)

        yield watch


def show_problems(problems: Sequence[Problem], where_all_are: str = "") -> None:
    """How many of each kind, and the first ones by name."""
    if not problems:
        return
    kinds = Counter(p.code for p in problems)
    told = "，".join(f"{KINDS_ZH.get(code, code)} {n}" for code, n in kinds.most_common())
    out.print(f"共 {len(problems)} 处问题：{told}", markup=False)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("问题", no_wrap=True)
    table.add_column("位置", overflow="fold")
    table.add_column("原因", overflow="fold")
    for problem in problems[:SHOWN]:
        line = f":{problem.line}" if problem.line else ""
        kind = KINDS_ZH.get(problem.code, problem.code)
        table.add_row(kind, f"{problem.path}{line}", problem.reason)
    out.print(table)
    if len(problems) > SHOWN:
        out.print(f"……另有 {len(problems) - SHOWN} 处{where_all_are}。", markup=False)


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems for `--json`."""
    return [
        {"code": p.code, "path": str(p.path), "line": p.line, "reason": p.reason} for p in problems
    ]


def problem_csv(problems: Sequence[Problem]) -> str:
    """Problems as a CSV file's text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "path", "line", "reason"))
    writer.writerows((p.code, str(p.path), p.line, p.reason) for p in problems)
    return text.getvalue()
