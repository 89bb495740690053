"""Gates of promotion, as data: what may not get worse from one champion to the next.

`gates.yaml` lies beside the models. Figures are found in the manifest's `metrics` by a dotted path
such as `bins.per_class.overflowing_bin.ap50`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..config.yamlfile import load_yaml
from .manifest import Manifest

GATES_NAME = "gates.yaml"
DEFAULT_MAX_BYTES = 60_000_000
# Figures in manifests are rounded to four digits; a difference of one such step is no loss.
ROUNDING = 1e-9


class MetricGate(BaseModel):
    """One figure that may not get worse by more than `max_loss` nor pass `bound`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        min_length=1, description="dotted path of the figure in the manifest's metrics"
    )
    title: str = Field(default="", description="what people read instead of the path")
    better: Literal["higher", "lower"] = "higher"
    max_loss: float = Field(
        ge=0, allow_inf_nan=False, description="how much worse than the champion's it may be"
    )
    bound: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="lowest value allowed (highest where lower is better), whatever the champion",
    )

    @property
    def name(self) -> str:
        return self.title or self.path

    @property
    def sign(self) -> str:
        """On which side of a limit the figure must be."""
        return "≥" if self.better == "higher" else "≤"


class ModelGates(BaseModel):
    """What is asked of a new version of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metrics: tuple[MetricGate, ...] = ()
    labels: Literal["same", "any"] = Field(
        default="same", description="same: names and order as the champion's"
    )
    input_may_change: tuple[str, ...] = Field(
        default=(), description="keys of the manifest's input that may differ from the champion's"
    )
    max_bytes: int = Field(
        default=DEFAULT_MAX_BYTES, gt=0, description="size of the model and its files together"
    )
    measured_on: tuple[str, ...] = Field(
        default=(),
        description="paths of counts; where they differ, old and new figures come from other data"
        " and the table says so",
    )


class Gates(BaseModel):
    """`gates.yaml`: gates by model name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: dict[str, ModelGates] = Field(default_factory=dict)

    def of(self, name: str) -> ModelGates:
        """The gates of one model; without an entry only those that hold for every model."""
        return self.models.get(name, ModelGates())


@dataclass(frozen=True, slots=True)
class GateResult:
    """One judged gate.

    Attributes:
        gate: `hash`, `opens`, `size`, `labels`, `input`, `champion`, or a metric's path.
        title: for people.
        old, new, limit: what was compared; None where there is none.
        passed: whether it lets the version through.
        reason: Chinese, why not (or a remark on one that passed).
        firm: cannot be overruled.
    """

    gate: str
    title: str
    old: float | str | None
    new: float | str | None
    limit: float | str | None
    passed: bool
    reason: str = ""
    firm: bool = False

    def as_json(self) -> dict[str, Any]:
        """For `--json` and the history."""
        return {
            "gate": self.gate,
            "old": self.old,
            "new": self.new,
            "limit": self.limit,
            "passed": self.passed,
            "reason": self.reason,
        }


def load_gates(root: Path) -> Gates:
    """The shelf's gates; none without the file.

    Raises:
        ConfigError: the file is broken; with file, line and field.
    """
    path = root / GATES_NAME
    return load_yaml(path, Gates) if path.is_file() else Gates()


def figure(metrics: Mapping[str, Any], path: str) -> float | None:
    """The number at a dotted path, or None where there is none."""
    value: Any = metrics
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return _number(value)


def figures(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Every number by its dotted path."""
    found: dict[str, float] = {}
    for key, value in metrics.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= figures(value, f"{path}.")
        elif (number := _number(value)) is not None:
            found[path] = number
    return found


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def judge_manifests(
    gates: ModelGates, new: Manifest, old: Manifest | None, size: int
) -> tuple[GateResult, ...]:
    """Everything that can be judged from manifests and size; `old` is the champion's, if any."""
    results = [_size(gates, size)]
    if old is not None:
        results += [_labels(gates, new, old), _input(gates, new, old)]
        results += _remarks(gates, new, old)
    old_metrics = old.metrics if old else {}
    results += [
        _metric(gate, figure(old_metrics, gate.path), figure(new.metrics, gate.path))
        for gate in gates.metrics
    ]
    return tuple(results)


def _size(gates: ModelGates, size: int) -> GateResult:
    fits = size <= gates.max_bytes
    reason = "" if fits else "文件超过大小上限"
    return GateResult(
        "size", "大小", None, megabytes(size), f"≤ {megabytes(gates.max_bytes)}", fits, reason
    )


def _labels(gates: ModelGates, new: Manifest, old: Manifest) -> GateResult:
    before, after = ([label.name for label in m.labels] for m in (old, new))
    same = before == after
    gone, added = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    parts = [f"少了 {'、'.join(gone)}" if gone else "", f"多了 {'、'.join(added)}" if added else ""]
    reason = "" if same else "，".join(filter(None, parts)) or "顺序变了"
    return GateResult(
        "labels",
        "类别",
        f"{len(before)} 类",
        f"{len(after)} 类",
        "不变" if gates.labels == "same" else "不限",
        same or gates.labels == "any",
        reason,
    )


def _input(gates: ModelGates, new: Manifest, old: Manifest) -> GateResult:
    keys = sorted(set(old.input) | set(new.input))
    changed = [key for key in keys if old.input.get(key) != new.input.get(key)]
    barred = [key for key in changed if key not in gates.input_may_change]
    reason = "；".join(f"{key}：{old.input.get(key)} → {new.input.get(key)}" for key in changed)
    return GateResult("input", "输入约定", None, None, "不变", not barred, reason)


def _remarks(gates: ModelGates, new: Manifest, old: Manifest) -> list[GateResult]:
    pairs = [(p, figure(old.metrics, p), figure(new.metrics, p)) for p in gates.measured_on]
    text = "两版不是在同一批数据上测得，差值仅供参考"
    return [
        GateResult(path, path, before, after, None, True, text)
        for path, before, after in pairs
        if before != after
    ]


def _metric(gate: MetricGate, old: float | None, new: float | None) -> GateResult:
    """Refused when missing, past the bound, or worse than the champion's by too much."""
    sign = 1 if gate.better == "higher" else -1
    limits = [] if gate.bound is None else [gate.bound]
    if old is not None:
        limits.append(old - sign * gate.max_loss)
    limit = (max if sign > 0 else min)(limits) if limits else None
    if new is None:
        reason = "新版没有这个指标"
    elif limit is None or sign * (new - limit) >= -ROUNDING:
        reason = "" if old is not None else "没有前任的数字，只看绝对限值"
        return GateResult(gate.path, gate.name, old, new, _limit(limit, gate), True, reason)
    elif gate.bound is not None and sign * (new - gate.bound) < -ROUNDING:
        reason = f"{'低' if sign > 0 else '高'}于绝对限值 {gate.bound:.4g}"
    else:
        loss = abs(new - old) if old is not None else 0.0
        verb = "下降" if sign > 0 else "上升"
        reason = f"比前任{verb} {loss:.4f}，最多允许 {gate.max_loss:.4g}"
    return GateResult(gate.path, gate.name, old, new, _limit(limit, gate), False, reason)


def _limit(limit: float | None, gate: MetricGate) -> str | None:
    return None if limit is None else f"{gate.sign} {limit:.4f}"


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:.1f} MB"
