"""Tables of the `xiaozheng models` verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from rich import box
from rich.table import Table

from ..models.audit import Finding
from ..models.compare import Comparison, Pair
from ..models.gates import GateResult, ModelGates, figure, megabytes
from ..models.history import Record

DASH = "—"
SAME = "相同"
ACTIONS_ZH = {
    "promote": "上架",
    "rollback": "退回",
    "observed": "外部改动",
    "void": "未生效",
}
FACTS_ZH = {
    "task": "任务",
    "bytes": "大小",
    "model_sha256": "模型哈希",
    "data_hash": "数据哈希",
    "data": "训练数据",
    "base": "底座",
    "licence": "许可",
    "created": "建立",
    "input": "输入",
    "output": "输出",
}
HASH_CHARS = 12
FACT_CHARS = 56


def number(value: float | str | None) -> str:
    """A figure for people: whole numbers without a point, others with four digits."""
    if value is None:
        return DASH
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4f}"


def gate_table(results: Iterable[GateResult]) -> Table:
    """Old, new, limit and verdict of every gate."""
    table = _table("门槛", "前任", "新版", "限值", "结果", numbers=(1, 2, 3))
    for result in results:
        if not result.passed:
            verdict = f"[red]✗ {result.reason}[/]"
        elif result.reason:
            verdict = f"[yellow]✓ {result.reason}[/]"
        else:
            verdict = "[green]✓[/]"
        cells = (number(value) for value in (result.old, result.new, result.limit))
        table.add_row(result.title, *cells, verdict)
    return table


def bar_table(gates: ModelGates, metrics: Mapping[str, Any]) -> Table:
    """A version's gate figures, with what its successor may lose."""
    table = _table("门槛指标", "数值", "下一版最多变差", "绝对限值", numbers=(1, 2, 3))
    for gate in gates.metrics:
        value = figure(metrics, gate.path)
        bound = None if gate.bound is None else f"{gate.sign} {gate.bound:.4f}"
        table.add_row(gate.name, number(value), number(gate.max_loss), number(bound))
    return table


def finding_table(findings: Iterable[Finding]) -> Table:
    """What an audit found."""
    table = _table("检查", "结果", "说明")
    for finding in findings:
        verdict = "[green]✓[/]" if finding.is_fine else "[red]✗[/]"
        table.add_row(finding.subject, verdict, finding.detail)
    return table


def history_table(records: Iterable[Record]) -> Table:
    """A name's history, oldest first."""
    table = _table("时间（UTC）", "谁", "动作", "别名", "从", "到", "理由")
    for record in records:
        action = ACTIONS_ZH[record.action] + ("（强制）" if record.forced else "")
        table.add_row(
            record.when[:19].replace("T", " "),
            record.who or DASH,
            action,
            record.alias,
            record.before or DASH,
            record.after or DASH,
            record.reason,
        )
    return table


def facts_table(found: Comparison) -> Table:
    """Facts, labels and thresholds side by side; lines that differ are marked."""
    table = _table("", found.a, found.b)
    for column in table.columns[1:]:
        column.max_width = FACT_CHARS
    for key, (old, new) in found.facts.items():
        other = SAME if old == new else _fact(key, new)
        table.add_row(_mark(FACTS_ZH[key], old == new), _fact(key, old), other)
    only_a, only_b, same_order = found.labels
    same = not only_a and not only_b and same_order
    sides = [f"独有：{'、'.join(only)}" if only else DASH for only in (only_a, only_b)]
    order = "" if same_order else "（共有的顺序不同）"
    table.add_row(_mark("类别", same), *((SAME, SAME) if same else (sides[0], sides[1] + order)))
    for label, (old, new) in found.thresholds.items():
        table.add_row(_mark(f"阈值 {label}", old == new), number(old), number(new))
    return table


def metric_table(found: Comparison, paths: Sequence[str]) -> Table:
    """Figures side by side, for the paths (or patterns) given."""
    table = _table("指标", found.a, found.b, "差", numbers=(1, 2, 3))
    for path, (old, new) in select(found.metrics, paths).items():
        missing = old is None or new is None
        table.add_row(path, number(old), number(new), DASH if missing else f"{new - old:+.4f}")
    return table


def select(metrics: dict[str, Pair], patterns: Sequence[str]) -> dict[str, Pair]:
    """The figures whose path is, or fits, one of the patterns."""
    return {
        path: pair
        for path, pair in metrics.items()
        if any(fnmatch(path, pattern) for pattern in patterns)
    }


def _fact(key: str, value: Any) -> str:
    if value is None or value in ("", []):
        return DASH
    if key == "bytes":
        return megabytes(value)
    if key in ("model_sha256", "data_hash"):
        return str(value)[:HASH_CHARS]
    if isinstance(value, dict):
        return "，".join(f"{name} {entry}" for name, entry in value.items())
    return "；".join(value) if isinstance(value, list) else str(value)


def _mark(text: str, same: bool) -> str:
    return text if same else f"[yellow]≠ {text}[/]"


def _table(*columns: str, numbers: Sequence[int] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i in numbers else "left", overflow="fold")
    return table
