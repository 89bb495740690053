"""`xiaozheng datasets export feedback`: what staff said of calls, as a training set."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..config.errors import InputError
from .common import err, print_json
from .common import out as console
from .hotline_db import day_of, hotline_store

SHOWN = 20


def export_feedback(
    out: Annotated[Path, typer.Option(help="写入此 JSONL 文件（不得已存在）")],
    since: Annotated[str | None, typer.Option(help="只取此日起的来电")] = None,
    until: Annotated[str | None, typer.Option(help="只取此日前的来电")] = None,
    db_url: Annotated[str | None, typer.Option("--db-url", help="数据库地址")] = None,
    var: Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """把坐席的采纳、改派、退回记录导出为训练集（已脱敏，带来源）。

    格式同 departments.train.jsonl，另有 feedback（来源）。说法互相矛盾的来电 confidence 为 1，
    并逐一列出。
    """
    from ..serve.hotline_feedback import training_set

    if out.exists():
        raise InputError(f"{out}: exists already", message_zh=f"{out} 已存在")
    with hotline_store(db_url, var) as store:
        found = training_set(store.between(day_of(since, "--since"), day_of(until, "--until")))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found.rows)
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(lines, encoding="utf-8")
        os.replace(part, out)
    except OSError as error:
        raise InputError(
            f"{out}: {error.strerror}", message_zh=f"无法写入 {out}：{error.strerror}"
        ) from None
    if as_json:
        print_json(
            {
                "out": str(out),
                "calls": found.calls,
                "rows": len(found.rows),
                "without_label": found.without_label,
                "conflicts": [asdict(conflict) for conflict in found.conflicts],
            }
        )
        return
    console.print(
        f"有处理记录的来电 {found.calls} 条，导出 {len(found.rows)} 条：{out}"
        f"（退回后未定部门 {found.without_label} 条未导出）",
        markup=False,
        soft_wrap=True,
    )
    for conflict in found.conflicts[:SHOWN]:
        what = "前后说法不一" if conflict.kind == "decisions" else "文字相同而部门不同"
        err.print(
            f"  矛盾：{what}：{'、'.join(conflict.ids)} → {' / '.join(conflict.departments)}",
            markup=False,
        )
    if len(found.conflicts) > SHOWN:
        err.print(f"  ……共 {len(found.conflicts)} 处矛盾，用 --json 列全")
