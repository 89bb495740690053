"""`xiaozheng models tune`: set a router's thresholds from its out-of-fold answers."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.table import Table

from ..config.errors import InputError, ModelError
from ..models.aliases import CANDIDATE
from ..models.gates import load_gates
from ..models.intake import CARD_NAME, add
from ..models.manifest import VERSION_PATTERN, Manifest, write_manifest
from ..models.promote import promote
from ..models.registry import Artifact, Registry
from ..nlp.decision import DEFAULT_MIN_GAP
from ..nlp.train.thresholds import (
    TUNING_FILE,
    Share,
    TuningRows,
    assisting_threshold,
    auto_thresholds,
    cross_checked,
    involved,
    shares,
)
from .common import out, print_json
from .models_change import AsJson, By, Shelf, order_of

COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Tuned:
    """Everything a tuning says: the thresholds, what they send, and how honest that is."""

    ref: str
    precision: float
    min_gap: float
    assisting_from: float
    thresholds: dict[str, float]
    overall: Share
    honest: Share
    per_label: dict[str, Share]
    curve: tuple[tuple[float, float, float], ...]
    ambiguous: float
    assisting: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """JSON-ready; shares carry `share` and `precision` beside their counts."""
        data = asdict(self)
        for name in ("overall", "honest"):
            data[name] = _share_json(getattr(self, name))
        data["per_department"] = {
            label: {"threshold": self.thresholds.get(label), **_share_json(share)}
            for label, share in self.per_label.items()
        }
        data["risk_coverage"] = [
            {"coverage": coverage, "threshold": limit, "precision": precision}
            for coverage, limit, precision in self.curve
        ]
        del data["per_label"], data["curve"]
        return data


def tune_model(
    ref: Annotated[str, typer.Argument(help="派单模型：名称、名称@别名或名称@版本")] = "router",
    precision: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="自动派单须达到的总准确率")
    ] = 0.97,
    ambiguity: Annotated[
        float, typer.Option(min=0, max=1, help="前两名概率差小于此值即为“两可”，不自动派单")
    ] = DEFAULT_MIN_GAP,
    write: Annotated[
        str | None, typer.Option("--write", metavar="版本", help="写成新版本，例如 0.2.1")
    ] = None,
    by: By = None,
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """按折外预测重设自动派单线，不必重新训练；打印各部门与总的自动派单比例。

    不带 --write 只看不改。带 --write 则在模型库中另立一个版本（其余文件不变）并设为 candidate：
    阈值与模型同进同退，有哈希、有历史，上架用 models promote，后悔用 models rollback，
    运行中的服务会自动换用。个别部门要更严或永不自动，写在 departments.yaml
    （auto_threshold、never_auto、decision.min_gap），城市写的优先于模型的。
    """
    registry = Registry(shelf)
    artifact = registry.resolve(ref)
    if artifact.manifest.task != "routing":
        raise InputError(f"{artifact.ref}: not a router", message_zh=f"{artifact.ref} 不是派单模型")
    tuned = tune(artifact, precision=precision, min_gap=ambiguity)
    written = None
    if write is not None:
        written = write_tuned(registry, artifact, tuned, write, by)
    if as_json:
        print_json({**tuned.as_json(), "written": written.ref if written else None})
        return
    _show(tuned, {label.name: label.zh for label in artifact.manifest.labels})
    if written:
        out.print(f"[green]✓[/] 已写成 {written.ref} 并设为 candidate")
        out.print(f"  上架：xiaozheng models promote {written.manifest.name}", markup=False)


def tune(artifact: Artifact, *, precision: float, min_gap: float) -> Tuned:
    """Thresholds of one artefact and what they mean.

    Raises:
        ModelError: the artefact has no tuning file.
    """
    if all(entry.name != TUNING_FILE for entry in artifact.manifest.files):
        raise ModelError(
            f"{artifact.ref}: has no {TUNING_FILE}",
            message_zh=f"{artifact.ref} 没有 {TUNING_FILE}（折外预测），无法调阈值；请重新训练",
            code="no_tuning_rows",
        )
    order = tuple(label.name for label in artifact.manifest.labels)
    rows = TuningRows.load(artifact.file(TUNING_FILE), len(order))
    thresholds = auto_thresholds(
        rows.probabilities, rows.labels, order, precision=precision, min_gap=min_gap
    )
    overall, per_label = shares(rows, order, thresholds, min_gap=min_gap)
    two = np.sort(rows.probabilities, axis=1)[:, -2:]
    assisting_from = assisting_threshold(rows)
    proposed = two[:, 0] >= assisting_from
    return Tuned(
        ref=artifact.ref,
        precision=precision,
        min_gap=min_gap,
        assisting_from=assisting_from,
        thresholds=thresholds,
        overall=overall,
        honest=cross_checked(rows, order, precision=precision, min_gap=min_gap),
        per_label=per_label,
        curve=_curve(rows),
        ambiguous=float((two[:, 1] - two[:, 0] < min_gap).mean()),
        assisting=(
            float(proposed.mean()),
            float(involved(rows)[proposed].mean()) if proposed.any() else 0.0,
        ),
    )


def _curve(rows: TuningRows) -> tuple[tuple[float, float, float], ...]:
    """Coverage, lowest probability and precision when the surest so many go out."""
    confidence = rows.probabilities.max(axis=1)
    correct = rows.probabilities.argmax(axis=1) == rows.labels
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    last = [max(round(coverage * len(order)), 1) - 1 for coverage in COVERAGES]
    return tuple(
        (coverage, float(confidence[order[at]]), float(hits[at]))
        for coverage, at in zip(COVERAGES, last, strict=True)
    )


def write_tuned(
    registry: Registry, artifact: Artifact, tuned: Tuned, version: str, by: str | None
) -> Artifact:
    """The artefact under a new version with the tuned thresholds, as candidate.

    Raises:
        InputError: no thresholds to write.
        ModelError: the version is malformed or taken; see `models.intake.add`.
    """
    if not tuned.thresholds:
        raise InputError(
            f"no thresholds reach a precision of {tuned.precision}",
            message_zh=f"没有哪条线能达到 {tuned.precision:.1%} 的准确率，未写入",
        )
    manifest = artifact.manifest
    extra = dict(manifest.extra)
    extra["decision"] = {
        **extra.get("decision", {}),
        "min_gap": tuned.min_gap,
        "assisting_from": tuned.assisting_from,
        "precision": tuned.precision,
        "tuned_from": artifact.ref,
    }
    data = manifest.model_dump() | {
        "version": version,
        "thresholds": tuned.thresholds,
        "extra": extra,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names = [manifest.model.name, *(entry.name for entry in manifest.files)]
        for name in (*names, CARD_NAME):
            if name != CARD_NAME or (artifact.folder / name).is_file():
                shutil.copyfile(artifact.folder / name, folder / name)
        _note_in_card(folder / CARD_NAME, tuned, version)
        write_manifest(folder, _manifest(data, version))
        written = add(registry, folder)
    reason = f"由 {artifact.ref} 调阈值：准确率 {tuned.precision:.1%}，两可线 {tuned.min_gap:.2f}"
    order = order_of(by, reason)
    promote(registry, written.ref, load_gates(registry.root), order, CANDIDATE)
    return written


def _manifest(data: dict[str, Any], version: str) -> Manifest:
    try:
        return Manifest.model_validate(data)
    except ValueError:
        raise InputError(
            f"version {version!r} does not match {VERSION_PATTERN}",
            message_zh=f"版本号 {version} 须形如 1.2.3",
        ) from None


def _note_in_card(card: Path, tuned: Tuned, version: str) -> None:
    if not card.is_file():
        return
    honest = tuned.honest
    with card.open("a", encoding="utf-8") as stream:
        stream.write(
            f"\n## Thresholds of {version}\n\nSet by `xiaozheng models tune` from {tuned.ref} for a"
            f" precision of {tuned.precision} (gap {tuned.min_gap}). Out of fold they send out"
            f" {tuned.overall.share:.1%} at {tuned.overall.precision or 0:.1%}; set on one half and"
            f" applied to the other: {honest.share:.1%} at {honest.precision or 0:.1%}. All else is"
            f" as in {tuned.ref}.\n"
        )


def _share_json(share: Share) -> dict[str, Any]:
    return {**asdict(share), "share": share.share, "precision": share.precision}


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _show(tuned: Tuned, names: dict[str, str]) -> None:
    table = Table(title=f"{tuned.ref} 自动派单线（折外预测）", box=box.SIMPLE_HEAD)
    for column in ("部门", "自动派单线", "判给它的", "其中自动", "自动的准确率"):
        table.add_column(column, justify="left" if column == "部门" else "right")
    for label, share in sorted(tuned.per_label.items(), key=lambda item: -item[1].sent):
        limit = tuned.thresholds.get(label)
        shown = "不自动" if limit is None else f"{limit:.4f}"
        sent = _percent(share.share) if limit is not None and share.n else "—"
        table.add_row(names[label], shown, str(share.n), sent, _percent(share.precision))
    out.print(table)
    curve = Table(title="风险与覆盖（只按首选概率）", box=box.SIMPLE_HEAD)
    for column in ("自动派单比例", "概率不低于", "准确率"):
        curve.add_column(column, justify="right")
    for coverage, limit, precision in tuned.curve:
        curve.add_row(f"{coverage:.0%}", f"{limit:.4f}", _percent(precision))
    out.print(curve)
    whole, honest = tuned.overall, tuned.honest
    out.print(
        f"共 {whole.n} 条：自动派单 {_percent(whole.share)}，准确率 {_percent(whole.precision)}；"
        f"半数定线、另半检验：{_percent(honest.share)}，{_percent(honest.precision)}",
        soft_wrap=True,
    )
    out.print(
        f"两可（前两名相差不足 {tuned.min_gap:.2f}）{_percent(tuned.ambiguous)}；"
        f"协办建议线 {tuned.assisting_from:.4f}，建议 {_percent(tuned.assisting[0])}，"
        f"其中确与此事有关的 {_percent(tuned.assisting[1])}",
        soft_wrap=True,
    )
