"""The demo's tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from ..datasets.suite import Suite
from ..vision.incident import STATE_ZH, IncidentState
from ..vision.kinds import Kinds
from .common import local_time
from .demo_truth import Verdict

DECISION_ZH = {"auto": "自动派单", "suggest": "建议", "human": "转人工"}


def incidents_table(
    incidents: list[dict[str, Any]], kinds: Kinds, suite: Suite, folder: Path
) -> Table:
    """One row per incident, newest evidence named by its path on disk."""
    cameras = {clip.camera["id"]: clip.camera for clip in suite.clips}
    table = Table(title="发现的城市事件", box=box.SIMPLE_HEAD, title_justify="left", expand=False)
    for column in ("类型", "摄像机", "区域", "状态", "开始", "立案", "结束"):
        table.add_column(column, no_wrap=True)
    table.add_column("停留", justify="right", no_wrap=True)
    table.add_column("证据图", overflow="fold")
    for incident in incidents:
        camera = cameras[incident["camera_id"]]
        zone = next(z for z in camera["zones"] if z["id"] == incident["zone_id"])
        kind = kinds.by_id(incident["kind"])
        table.add_row(
            f"{kind.zh} {kind.code}",
            camera["name"],
            zone.get("name") or zone["id"],
            STATE_ZH[IncidentState(incident["state"])],
            *(_clock(incident[key]) for key in ("onset_at", "opened_at", "ended_at")),
            f"{incident['dwell_s']:.0f} 秒",
            "\n".join(str(folder / e["path"]) for e in incident["evidence"] if e["moment"] == "at"),
        )
    return table


def _clock(text: str | None) -> str:
    return local_time(datetime.fromisoformat(text) if text else None)


def calls_table(calls: list[dict[str, Any]]) -> Table:
    """One row per call with its three likeliest departments."""
    table = Table(title="来电派单建议", box=box.SIMPLE_HEAD, title_justify="left", expand=False)
    table.add_column("来电（已脱敏）", max_width=46, overflow="ellipsis", no_wrap=True)
    table.add_column("前三承办部门（概率）", overflow="fold")
    table.add_column("决定", no_wrap=True)
    table.add_column("依据词", overflow="fold", max_width=30)
    for call in calls:
        if call["status"] != "ok":
            table.add_row(call["id"], f"错误：{call['error']['message_zh']}", "—", "")
            continue
        suggestion = call["suggestion"]
        table.add_row(
            suggestion["masked_text"],
            "  ".join(f"{d['name']} {d['probability']:.0%}" for d in suggestion["departments"][:3]),
            DECISION_ZH[suggestion["decision"]["verdict"]],
            " ".join(word["text"] for word in suggestion["evidence"][:4]),
        )
    return table


def verdict_lines(verdict: Verdict, refused: tuple[str, ...]) -> Iterator[str]:
    """How the findings compare with the clips' truth file."""
    for match in verdict.matches:
        if match.found_onset_s is None:
            missed = f"{match.kind} 应于 {match.true_onset_s:.1f} 秒开始，未发现"
            yield f"[red]✗ {match.clip}：{missed}[/red]"
        else:
            error_s = match.found_onset_s - match.true_onset_s
            yield f"[green]✓[/green] {match.clip}：{match.kind} 开始时间偏差 {error_s:+.1f} 秒"
    for text in verdict.extra:
        yield f"[red]✗ 多报：{text}[/red]"
    for text in refused:
        yield f"[red]✗ 未受理的帧：{text}[/red]"
    if verdict.good:
        yield "[green]✓ 与真值文件一致：无漏报，无多报（平常片段无事件）[/green]"
