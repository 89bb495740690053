"""`xiaozheng datasets`: labelled pictures in, checked, split, looked at, and out again."""

from __future__ import annotations

import typer

from .datasets_check import split, stats, validate
from .datasets_import import export, import_
from .datasets_look import doubt, sheet
from .datasets_render import render

datasets = typer.Typer(
    help="数据集：导入、检查、划分、统计、拼图、找可疑标注、导出、渲染。", no_args_is_help=True
)
datasets.command("import")(import_)
datasets.command("validate")(validate)
datasets.command("split")(split)
datasets.command("stats")(stats)
datasets.command("sheet")(sheet)
datasets.command("doubt")(doubt)
datasets.command("export")(export)
datasets.command("render")(render)
