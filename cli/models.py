"""`xiaozheng models`: look at the shelf: list, show, verify, diff."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich import box
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..config.errors import ModelError
from ..models.audit import Finding, audit
from ..models.compare import compare
from ..models.gates import Gates, figure, load_gates, megabytes
from ..models.history import read_history
from ..models.intake import CARD_NAME
from ..models.manifest import Manifest, check_files, read_manifest
from ..models.promote import artifact_bytes
from ..models.registry import Artifact, Registry
from .common import EXIT_FAILED, err, out, print_json
from .models_change import AsJson, Shelf, add_model, promote_model, rollback_model
from .models_tables import (
    DASH,
    HASH_CHARS,
    bar_table,
    facts_table,
    finding_table,
    history_table,
    metric_table,
    number,
)
from .models_tune import tune_model

LISTED_FIGURES = 2

models = typer.Typer(
    help="模型库：查看、检验、上架、退回。目录取 --shelf、环境变量 XIAOZHENG_SHELF 或自带的。",
    no_args_is_help=True,
)
models.command("add")(add_model)
models.command("promote")(promote_model)
models.command("rollback")(rollback_model)
models.command("tune")(tune_model)


@models.command("list")
def list_models(shelf: Shelf = None, as_json: AsJson = False) -> None:
    """列出模型库中的所有版本、别名和门槛指标。"""
    registry = Registry(shelf)
    gates = load_gates(registry.root)
    rows = [
        _row(registry, gates, name, version)
        for name in registry.names()
        for version in registry.versions(name)
    ]
    if as_json:
        print_json({"shelf": str(registry.root), "models": rows})
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("模型", "版本", "别名", "大小", "建立", "数据", "门槛指标"):
        table.add_column(column, overflow="fold")
    for row in rows:
        if "error" in row:
            table.add_row(row["name"], row["version"], DASH, DASH, DASH, DASH, row["error"])
            continue
        shown = list(row["figures"].items())[:LISTED_FIGURES]
        table.add_row(
            row["name"],
            row["version"],
            "、".join(row["aliases"]) or DASH,
            megabytes(row["bytes"]),
            row["created"][:10],
            row["data_hash"][:HASH_CHARS],
            "，".join(f"{title} {number(value)}" for title, value in shown) or DASH,
        )
    out.print(table)
    out.print(f"模型库 {registry.root}：{len(rows)} 个版本。", markup=False)


@models.command()
def show(
    ref: Annotated[str, typer.Argument(help="名称、名称@别名或名称@版本")],
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """一个版本的卡片：文件、类别与阈值、门槛指标、数据来源、历史。"""
    registry = Registry(shelf)
    name, _, version = registry.ref_of(ref).partition("@")
    folder = registry.root / name / version
    artifact = Artifact(folder, read_manifest(folder))
    problem = _problem(artifact)
    records = [record for record in read_history(registry.root) if record.name == name]
    if as_json:
        print_json(
            {
                "ref": artifact.ref,
                "aliases": _aliases(registry, name, version),
                "files_ok": problem is None,
                "problem": problem,
                "manifest": artifact.manifest.model_dump(mode="json"),
                "history": [record.as_json() for record in records],
            }
        )
        return
    out.print(_card(registry, artifact, problem))
    out.print(_label_table(artifact.manifest))
    gates = load_gates(registry.root).of(name)
    if gates.metrics:
        out.print(bar_table(gates, artifact.manifest.metrics))
    if records:
        out.print(history_table(records))


@models.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="只检验这个模型")] = None,
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """检验每个版本：清单、文件哈希、无 pickle、能打开并试运行；再看别名、历史和门槛文件。

    全部列出；有一项不合格退出码即为 1。
    """
    registry = Registry(shelf)
    findings: list[Finding] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("检验中")
        for finding in audit(registry, name):
            findings.append(finding)
            progress.update(task, description=f"已检验 {finding.subject}")
    failed = [finding for finding in findings if not finding.is_fine]
    if as_json:
        listed = [finding.as_json() for finding in findings]
        print_json({"shelf": str(registry.root), "ok": not failed, "findings": listed})
    else:
        out.print(finding_table(findings))
        out.print(f"共 {len(findings)} 项，{len(failed)} 项不合格。")
    if failed:
        raise typer.Exit(EXIT_FAILED)


@models.command()
def diff(
    a: Annotated[str, typer.Argument(help="名称、名称@别名或名称@版本")],
    b: Annotated[str, typer.Argument(help="另一个版本")],
    metrics: Annotated[
        list[str] | None,
        typer.Option(help="要比的指标路径，可带 *，可多次；默认为门槛指标"),
    ] = None,
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """两个版本并排：大小、数据、类别、阈值、指标。"""
    registry = Registry(shelf)
    found = compare(registry.resolve(a), registry.resolve(b))
    if as_json:
        print_json(found.as_json())
        return
    name = found.a.partition("@")[0]
    gated = [gate.path for gate in load_gates(registry.root).of(name).metrics]
    out.print(facts_table(found))
    out.print(metric_table(found, metrics or gated or ["*"]))


def _row(registry: Registry, gates: Gates, name: str, version: str) -> dict[str, Any]:
    folder = registry.root / name / version
    row: dict[str, Any] = {"name": name, "version": version}
    try:
        artifact = Artifact(folder, read_manifest(folder))
        size = artifact_bytes(artifact)
    except ModelError as error:
        return row | {"error": error.message_zh}
    except OSError as error:
        return row | {"error": f"文件缺失：{error.filename}"}
    manifest = artifact.manifest
    values = {g.name: figure(manifest.metrics, g.path) for g in gates.of(name).metrics}
    return row | {
        "aliases": _aliases(registry, name, version),
        "task": manifest.task,
        "bytes": size,
        "created": manifest.created,
        "data_hash": manifest.data_hash,
        "model_sha256": manifest.model.sha256,
        "figures": values,
    }


def _aliases(registry: Registry, name: str, version: str) -> list[str]:
    entry = registry.aliases().get(name, {})
    return sorted(alias for alias, target in entry.items() if target == version)


def _problem(artifact: Artifact) -> str | None:
    try:
        check_files(artifact.folder, artifact.manifest)
    except ModelError as error:
        return error.message_zh
    return None


def _card(registry: Registry, artifact: Artifact, problem: str | None) -> Table:
    manifest = artifact.manifest
    card = artifact.folder / CARD_NAME
    aliases = _aliases(registry, manifest.name, manifest.version)
    lines = {
        "版本": f"{artifact.ref}  {'、'.join(aliases)}",
        "任务": manifest.task,
        "文件": "[green]与清单相符[/]" if problem is None else f"[red]{problem}[/]",
        "大小": megabytes(artifact_bytes(artifact)) if problem is None else DASH,
        "模型哈希": manifest.model.sha256,
        "数据哈希": manifest.data_hash,
        "数据": "\n".join(manifest.data) or DASH,
        "底座": manifest.base or DASH,
        "输入": "，".join(f"{key} {value}" for key, value in manifest.input.items()),
        "许可": manifest.licence,
        "建立": manifest.created,
        "卡片": str(card) if card.is_file() else DASH,
    }
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in lines.items():
        table.add_row(title, text)
    return table


def _label_table(manifest: Manifest) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("类别", "中文", "阈值"):
        table.add_column(column)
    for label in manifest.labels:
        table.add_row(label.name, label.zh, number(manifest.thresholds.get(label.name)))
    return table
