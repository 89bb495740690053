"""`xiaozheng route`: rank departments for the transcripts of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..models.registry import Registry
from ..nlp.router import Router
from ..nlp.suggestion import Suggestion
from .common import EXIT_BAD_INPUT, err, out, print_json, show_error
from .transcripts import InputRow, read_transcripts

BATCH = 256
VERDICT_ZH = {
    "auto": "[green]自动派单[/]",
    "suggest": "[yellow]建议[/]",
    "human": "[magenta]转人工[/]",
}
SHOWN_CHARS = 60


def route(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help=".jsonl、每行一条的 .txt，或 -")],
    top: Annotated[int, typer.Option(min=1, max=26, help="显示前几个部门")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="每条一行 JSON")] = False,
    departments: Annotated[
        Path | None, typer.Option("--departments", help="departments.yaml，默认用自带的")
    ] = None,
    shelf: Annotated[Path | None, typer.Option("--shelf", help="模型库目录")] = None,
    model: Annotated[str, typer.Option("--model", help="模型名，可带 @版本 或 @别名")] = "router",
) -> None:
    """给来电文本排出承办部门、概率、依据词和派单决定。

    text 可为文字，也可为轮次列表 [{"speaker": "agent|caller", "text": …}]。空白、过长、非中文等
    照样作答（转人工并说明原因）。不成 JSON、不是 UTF-8 的行列在标准错误里，退出码为 2，
    不影响其他行。
    """
    router = Router.open(Registry(shelf), model, departments)
    rows, errors = read_transcripts(source)
    suggestions: list[Suggestion] = []
    table = _table()
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        for row, suggestion in zip(batch, router.route([r.transcript for r in batch]), strict=True):
            suggestions.append(suggestion)
            if as_json:
                print_json(suggestion.to_dict(top=top), indent=None)
            else:
                table.add_row(*_cells(row, suggestion, top))
    if not as_json and rows:
        out.print(table)
    _summary(rows, suggestions, quiet=as_json)
    for error in errors:
        show_error(error)
    if errors:
        err.print(f"{len(errors)} 行无法处理，其余 {len(rows)} 条已处理", style="bold red")
        raise typer.Exit(EXIT_BAD_INPUT)


def _table() -> Table:
    table = Table(title="派单建议", show_lines=True)
    table.add_column("编号", no_wrap=True)
    table.add_column("来电", overflow="fold", ratio=4)
    table.add_column("部门与概率", overflow="fold", ratio=3)
    table.add_column("决定", overflow="fold", ratio=3)
    table.add_column("依据词", overflow="fold", ratio=3)
    return table


def _cells(row: InputRow, suggestion: Suggestion, top: int) -> tuple[str, ...]:
    ranked = "\n".join(f"{d.name} {d.probability:.1%}" for d in suggestion.departments[:top])
    if suggestion.assisting:
        ranked += f"\n协办：{suggestion.assisting.name}"
    if row.department:
        ranked += f"\n[dim]标注：{_name(suggestion, row.department)}[/]"
    text = suggestion.masked_title or suggestion.masked_text
    shown = text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"
    decision = f"{VERDICT_ZH[suggestion.decision.verdict]}\n{_plain(suggestion.decision.reason)}"
    urgency = suggestion.urgency
    if urgency and urgency.level != "normal":
        now = [_plain(reason.words) for reason in urgency.reasons if reason.state == "now"]
        decision += f"\n[bold red]{urgency.zh}[/]：{'、'.join(now)}"
    decision += "".join(f"\n[dim]{_plain(note)}[/]" for note in suggestion.notes)
    words = "、".join(_plain(item.text) for item in suggestion.evidence)
    reasons = f"{words}\n[dim]职责：{suggestion.duty or '—'}[/]"
    return suggestion.id, _plain(shown), ranked, decision, reasons


def _plain(text: str) -> str:
    """Callers' text is not console markup."""
    return text.replace("[", r"\[")


def _name(suggestion: Suggestion, code: str) -> str:
    return next((d.name for d in suggestion.departments if d.code == code), _plain(code))


def _summary(rows: list[InputRow], suggestions: list[Suggestion], *, quiet: bool) -> None:
    """Accuracy on the rows that carry a label; on stderr when stdout is for machines."""
    labelled = [(r.department, s) for r, s in zip(rows, suggestions, strict=True) if r.department]
    if not labelled:
        return
    first = sum(s.departments[0].code == wanted for wanted, s in labelled)
    third = sum(wanted in {d.code for d in s.departments[:3]} for wanted, s in labelled)
    auto = [(wanted, s) for wanted, s in labelled if s.decision.verdict == "auto"]
    right = sum(s.departments[0].code == wanted for wanted, s in auto)
    n = len(labelled)
    console = err if quiet else out
    console.print(
        f"有标注 {n} 条：首选正确 {first}（{first / n:.1%}），前三命中 {third}（{third / n:.1%}），"
        f"自动派单 {len(auto)} 条，其中正确 {right} 条",
        soft_wrap=True,
    )
