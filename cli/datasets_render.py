"""`xiaozheng datasets render`: labelled street stills out of Blender."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from ..config.errors import InputError
from .common import out as console
from .common import print_json
from .datasets_show import watched


def render(
    out: Annotated[Path, typer.Option(help="输出目录（YOLO 格式）；再次运行即接着渲染")],
    count: Annotated[int, typer.Option(min=1, help="几张")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="第一个种子；同一种子总得同一张图")] = 0,
    samples: Annotated[int, typer.Option(min=1, help="每像素光线采样数")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """渲染带标注的街景静帧（需要 render 扩展）；结果用 `datasets import yolo` 导入。"""
    if importlib.util.find_spec("bpy") is None:
        raise InputError(
            "rendering needs the `render` extra (bpy, Python 3.11)",
            message_zh="渲染需要 render 扩展（bpy，仅 Python 3.11）：pip install '.[render]'",
        )
    # Imported here: every other verb must start without Blender.
    from ..datasets.scenes.stills import render_stills

    done = 0
    with watched() as watch:
        for _ in render_stills(seed, count, out, samples):
            done += 1
            watch("渲染", done, count)
    if as_json:
        print_json({"out": str(out), "pictures": done, "first_seed": seed})
    else:
        console.print(f"已渲染 {done} 张到 {out}", markup=False)
