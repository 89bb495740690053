"""`xiaozheng watch`: a video file, one camera's zones, the incidents in it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..config.errors import InputError
from ..models.registry import Registry
from ..vision.cameras import Camera, load_cameras, parse_zone
from ..vision.detector import Detector
from ..vision.health import HEALTH_ZH, HealthIncident, read_reference
from ..vision.incident import STATE_ZH, Incident, IncidentState
from ..vision.kinds import DEFAULT_KINDS, Kinds, load_kinds
from ..vision.video import EPOCH, probe_video
from ..vision.watch import WatchStep, watch_video
from .common import err, out, print_json

DEFAULT_CAMERAS = Path("cameras.yaml")


def watch(
    source: Annotated[Path, typer.Argument(help="视频文件")],
    camera: Annotated[str, typer.Option(help="摄像机编号，区域取自 cameras.yaml")] = "",
    cameras: Annotated[
        Path, typer.Option(help="摄像机与区域；给出 --zone 时不读取")
    ] = DEFAULT_CAMERAS,
    zone: Annotated[
        list[str] | None,
        typer.Option(help='直接给出区域，可重复："类型:x,y x,y x,y[:停留秒数]"，坐标 0–1'),
    ] = None,
    kinds: Annotated[Path, typer.Option(help="事件类型：kinds.yaml")] = DEFAULT_KINDS,
    model: Annotated[str, typer.Option(help="检测模型：名称、名称@别名或名称@版本")] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    start: Annotated[
        str, typer.Option(help="首帧时间，如 2026-05-01T08:00:00+08:00；缺省时显示视频内时间")
    ] = "",
    fps: Annotated[float, typer.Option(min=0.01, max=60, help="每秒取样帧数（视频时间）")] = 2.0,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="证据图目录，默认 var/watch/<视频名>")
    ] = None,
    no_blur: Annotated[
        bool, typer.Option("--no-blur", help="证据图不遮挡人脸和车牌位置（默认遮挡）")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """从视频中识别城市事件，并保存证据图（前、中、后）。退出码：0 完成，2 输入有误。"""
    known = load_kinds(kinds)
    eye = _camera(camera, cameras, zone or [], known)
    began = _start(start, eye)
    folder = out_dir or Path("var/watch") / source.stem
    duration_s = probe_video(source).duration_s
    detector = Detector.open(Registry(shelf), model)
    report = _Report(known, eye, folder, None if start else began, quiet=as_json)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=err, disable=not err.is_terminal, redirect_stdout=False, transient=True
    ) as progress:
        task = progress.add_task("识别中", total=duration_s or None)
        report.say = progress.console.print if out.is_terminal and err.is_terminal else out.print
        steps = watch_video(
            source,
            eye,
            known,
            detector,
            fps=fps,
            start=began,
            blur=not no_blur,
            reference=read_reference(eye, cameras.parent),
        )
        for step in steps:
            report.take(step)
            progress.update(task, completed=(step.ts - began).total_seconds())
    if as_json:
        print_json(
            {
                "source": str(source),
                "camera_id": eye.id,
                "model": detector.ref,
                "backend": detector.backend,
                "fps": fps,
                "frames": report.frames,
                "duration_s": duration_s,
                "incidents": report.as_json(began),
                "suspended_frames": report.suspended,
                "health": report.health_json(began),
            }
        )
    else:
        out.print(report.table())
        report.tell_health()


class _Report:
    """What is told while watching and at the end: incidents that were opened."""

    def __init__(
        self, kinds: Kinds, camera: Camera, folder: Path, zero: datetime | None, *, quiet: bool
    ) -> None:
        self.kinds, self.camera, self.folder = kinds, camera, folder
        self.zero, self.quiet = zero, quiet
        self.frames = self.suspended = 0
        self.faults: dict[str, HealthIncident] = {}
        self.say: Any = out.print
        self.incidents: dict[str, Incident] = {}
        self.evidence: dict[str, list[dict[str, Any]]] = {}

    def take(self, step: WatchStep) -> None:
        self.frames += 1
        self.suspended += step.health.zones_suspended
        for fault in step.health.changed:
            self.faults[fault.id] = fault
            if not self.quiet:
                verb = "恢复" if fault.ended_at else "异常"
                self.say(f"{self._clock(step.ts)} {verb} {HEALTH_ZH[fault.kind]}")
        for item in step.evidence:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{item.incident_id}_{item.moment}.jpg"
            path.write_bytes(item.jpeg)
            self.evidence.setdefault(item.incident_id, []).append(
                {
                    "moment": item.moment,
                    "ts": item.ts.isoformat(),
                    "path": str(path),
                    "sha256": item.sha256,
                }
            )
        for clip in step.films:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{clip.incident_id}_clip.mp4"
            path.write_bytes(clip.mp4)
            self.evidence.setdefault(clip.incident_id, []).append(
                {
                    "moment": "clip",
                    "ts": clip.began_at.isoformat(),
                    "path": str(path),
                    "sha256": hashlib.sha256(clip.mp4).hexdigest(),
                }
            )
        for transition in step.outcome.transitions:
            incident = transition.incident
            if incident.opened_at is None:
                continue
            self.incidents[incident.id] = incident
            if transition.changed and not self.quiet:
                verb = "结束" if incident.state is IncidentState.ENDED else "立案"
                self.say(f"{self._clock(step.ts)} {verb} {self._kind(incident)} {incident.id}")

    def as_json(self, began: datetime) -> list[dict[str, Any]]:
        """Incidents in order of opening; `*_s` are seconds from the first frame."""

        def since(moment: datetime | None) -> float | None:
            return None if moment is None else round((moment - began).total_seconds(), 3)

        return [
            {
                "id": incident.id,
                "kind": incident.kind,
                "kind_zh": self.kinds.by_id(incident.kind).zh,
                "code": self.kinds.by_id(incident.kind).code,
                "camera_id": incident.camera_id,
                "zone_id": incident.zone_id,
                "state": incident.state.value,
                "onset_at": incident.onset_at.isoformat(),
                "opened_at": incident.opened_at.isoformat() if incident.opened_at else None,
                "last_seen_at": incident.last_seen_at.isoformat(),
                "ended_at": incident.ended_at.isoformat() if incident.ended_at else None,
                "onset_s": since(incident.onset_at),
                "opened_s": since(incident.opened_at),
                "ended_s": since(incident.ended_at),
                "dwell_s": round(incident.dwell_s, 3),
                "box": [round(v, 4) for v in incident.box],
                "label": incident.label,
                "score": incident.score,
                "reasons": list(incident.reasons),
                "model": incident.model,
                "rule": incident.rule,
                "evidence": self.evidence.get(incident.id, []),
            }
            for incident in self.incidents.values()
        ]

    def health_json(self, began: datetime) -> list[dict[str, Any]]:
        """Faults of the camera in order of being noticed; `*_s` as in `as_json`."""
        return [
            {
                "id": fault.id,
                "kind": fault.kind,
                "kind_zh": HEALTH_ZH[fault.kind],
                "began_s": round((fault.began_at - began).total_seconds(), 3),
                "noticed_s": round((fault.noticed_at - began).total_seconds(), 3),
                "ended_s": round((fault.ended_at - began).total_seconds(), 3)
                if fault.ended_at
                else None,
            }
            for fault in self.faults.values()
        ]

    def tell_health(self) -> None:
        """What was wrong with the camera, if anything."""
        for fault in self.faults.values():
            until = self._clock(fault.ended_at) if fault.ended_at else "片尾"
            out.print(
                f"画面异常：{HEALTH_ZH[fault.kind]} {self._clock(fault.began_at)}–{until}",
                markup=False,
            )
        if self.suspended:
            out.print(f"画面不可信的 {self.suspended} 帧未参与识别（区域暂停，不计停留时间）")

    def table(self) -> Table:
        table = Table(
            title=f"事件 {len(self.incidents)} 件（取样 {self.frames} 帧）",
            box=box.SIMPLE_HEAD,
            title_justify="left",
        )
        for column in ("类型", "区域", "状态", "开始", "立案", "结束"):
            table.add_column(column, no_wrap=True)
        table.add_column("停留", justify="right", no_wrap=True)
        table.add_column("证据图", overflow="fold")
        for incident in self.incidents.values():
            zone = self.camera.zone(incident.zone_id)
            table.add_row(
                self._kind(incident),
                zone.name or zone.id,
                STATE_ZH[incident.state],
                self._clock(incident.onset_at),
                self._clock(incident.opened_at),
                self._clock(incident.ended_at),
                f"{incident.dwell_s:.0f} 秒",
                "\n".join(item["path"] for item in self.evidence.get(incident.id, [])),
            )
        return table

    def _kind(self, incident: Incident) -> str:
        kind = self.kinds.by_id(incident.kind)
        return f"{kind.zh} {kind.code}"

    def _clock(self, moment: datetime | None) -> str:
        """Local time of day, or minutes and seconds into the video when no start was given."""
        if moment is None:
            return "—"
        if self.zero is None:
            return moment.astimezone(self.camera.tzinfo).strftime("%H:%M:%S")
        seconds = (moment - self.zero) / timedelta(seconds=1)
        return f"{int(seconds // 60):02d}:{seconds % 60:04.1f}"


def _camera(camera_id: str, path: Path, zones: list[str], kinds: Kinds) -> Camera:
    if zones:
        parsed = tuple(parse_zone(text, i, kinds) for i, text in enumerate(zones, 1))
        return Camera(id=camera_id or "video", zones=parsed)
    if not camera_id:
        raise InputError(
            "name a camera with --camera, or draw zones with --zone",
            message_zh="请用 --camera 指定摄像机，或用 --zone 给出区域",
        )
    known = load_cameras(path, kinds).by_id()
    listed = "、".join(sorted(known)) or "无"
    if camera_id not in known:
        raise InputError(
            f"{path}: no camera {camera_id!r}; known: {listed}",
            message_zh=f"{path} 中没有摄像机 {camera_id}（现有：{listed}）",
            code="unknown_camera",
        )
    return known[camera_id]


def _start(text: str, camera: Camera) -> datetime:
    if not text:
        return EPOCH
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--start {text!r} is not an ISO 8601 time",
            message_zh=f"--start {text!r} 不是 ISO 8601 时间",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=camera.tzinfo)
