"""`xiaozheng datasets`: labelled pictures in, checked, split, looked at, and out again."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from .datasets_check import split, stats, validate
from .datasets_feedback import export_feedback
from .datasets_import import export, import_
from .datasets_look import doubt, sheet
from .datasets_render import render


class _Exports(TyperGroup):
    """`export feedback …`; anything else after `export` is a folder of pictures."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        named = bool(args) and args[0] in self.commands
        return super().resolve_command(ctx, args if named else ["pictures", *args])


exports = typer.Typer(
    cls=_Exports,
    help="导出：export 目录 --format …（图片数据集），或 export feedback（坐席反馈）。",
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
)
exports.command("pictures")(export)
exports.command("feedback")(export_feedback)

datasets = typer.Typer(
    help="数据集：导入、检查、划分、统计、拼图、找可疑标注、导出、渲染。", no_args_is_help=True
)
datasets.command("import")(import_)
datasets.command("validate")(validate)
datasets.command("split")(split)
datasets.command("stats")(stats)
datasets.command("sheet")(sheet)
datasets.command("doubt")(doubt)
datasets.add_typer(exports, name="export")
datasets.command("render")(render)
