"""`xiaozheng eval personal-data`: what the masking finds, on made-up data and real texts."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from ..eval.personal_data import masked_in, score_masking, speed
from ..eval.report import Page, write_report
from .common import err, out

FIXED_SEED = 12345
KINDS_ZH = {
    "mobile": "手机号", "landline": "固定电话", "id_card": "身份证号", "bank_card": "银行卡号",
    "plate": "车牌号", "passport": "证件号", "email": "邮箱", "name": "姓名", "home": "住址门牌",
}  # fmt: skip


def eval_personal_data(
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    strings: Annotated[int, typer.Option(min=9, help="每个种子生成的个人信息条数")] = 5400,
    seed: Annotated[
        int | None, typer.Option(min=0, help="随机部分的种子，缺省每次新取；另总跑固定种子")
    ] = None,
    texts: Annotated[
        list[Path] | None, typer.Option("--texts", help="真实文本（JSONL，text 与 title 字段）")
    ] = None,
    sample: Annotated[
        Path | None, typer.Option(help="真实文本中被遮蔽之处抽样写入此文件，供人工核读")
    ] = None,
) -> None:
    """个人信息识别评测：生成数据上的召回率与准确率、速度；真实文本上各类数量。

    退出码：0 完成，2 输入有误，1 内部失败。
    """
    random_seed = secrets.randbelow(2**31) if seed is None else seed
    err.print(f"随机种子 {random_seed}（用 --seed {random_seed} 可重现）")
    figures: dict[str, Any] = {}
    with err.status("生成与识别中…"):
        for name, value in (("fixed", FIXED_SEED), ("random", random_seed)):
            score = score_masking(strings, value)
            misses = [f"{m.what} {m.kind}: {m.part} | {m.text}" for m in score.misses]
            figures[name] = {"seed": value, **score.to_dict(), "misses": misses}
        figures["texts_per_s"] = round(speed(random_seed))
        if texts:
            figures["real"], lines = masked_in(texts, random_seed)
            if sample is not None:
                sample.write_text("\n".join(lines) + "\n", encoding="utf-8")
    page = Page("个人信息识别")
    write_report(figures, page, json_out, kind="personal-data", made=datetime.now(UTC))
    _show(figures)
    out.print(f"已写入 {json_out}", markup=False)


def _show(figures: dict[str, Any]) -> None:
    table = Table(title="个人信息识别", box=box.SIMPLE_HEAD, title_justify="left")
    for at, title in enumerate(("种类", "固定：召回", "准确", "随机：召回", "准确", "条数")):
        table.add_column(title, justify="right" if at else "left")
    both = (figures["fixed"], figures["random"])
    for kind in both[0]["per_kind"]:
        rows = [part["per_kind"].get(kind, {}) for part in both]
        cells = [f"{row.get(key, 0):.2%}" for row in rows for key in ("recall", "precision")]
        table.add_row(KINDS_ZH[kind], *cells, str(sum(row.get("n", 0) for row in rows)))
    cells = [f"{part[key]:.2%}" for part in both for key in ("recall", "precision")]
    table.add_row("全部", *cells, str(sum(part["secrets"] for part in both)), style="bold")
    out.print(table)
    touched = sum(part["ordinary_touched"] for part in both)
    out.print(f"平常语句 {sum(part['ordinary_texts'] for part in both)} 条，误遮 {touched} 条")
    out.print(f"速度：每秒 {figures['texts_per_s']} 条（200 字，单线程处理器时间）")
    if real := figures.get("real"):
        counts = "  ".join(f"{KINDS_ZH[k]} {n}" for k, n in real["spans"].items())
        out.print(f"真实文本 {real['texts']} 条，遮蔽：{counts}")
