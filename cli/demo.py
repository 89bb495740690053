"""`xiaozheng demo`: the whole product on its own sample clips and calls."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..config.errors import XiaozhengError
from ..datasets.suite import SAMPLE_TRANSCRIPTS, SAMPLES, Suite, SuiteClip, load_suite
from ..vision.kinds import Kinds, load_kinds
from ..vision.video import frame_count
from .common import EXIT_FAILED, err, out, print_json
from .demo_tables import calls_table, incidents_table, verdict_lines
from .demo_truth import Verdict, judge
from .gateway import PlayResult, play_clip

START_TIMEOUT_S = 120
KEPT_RUNS = 3
CLIPS_BEGAN_S_AGO = 90
# The sample clips last under a minute: an end is believed sooner than on a real street.
DEMO_END_AFTER_S = 4.0


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything the demo shows."""

    incidents: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    verdict: Verdict
    refused: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.refused


def demo(
    once: Annotated[bool, typer.Option("--once", help="打印结果后退出，不保持服务运行")] = False,
    port: Annotated[int, typer.Option(help="服务端口；被占用时自动换用空闲端口")] = 8600,
    fps: Annotated[float, typer.Option(min=0.5, max=25, help="每秒送检帧数")] = 2.5,
    runs: Annotated[Path, typer.Option("--dir", help="演示数据目录")] = Path("var/demo"),
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出结果")] = False,
) -> None:
    """启动服务，经 HTTP 播放样例视频与来电，列出发现的事件和派单建议。"""
    # Being told to stop must stop the service too: leave through the `with` below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    suite = load_suite()
    kinds = load_kinds()
    folder = _new_run(runs)
    port = _free_port(port)
    with _service(suite, kinds, folder, port) as url:
        client = httpx.Client(base_url=url, timeout=120)
        result = _play_everything(client, suite, fps=fps)
        if as_json:
            print_json(_as_json(result, folder))
        else:
            _print(result, kinds, suite, folder)
        if not result.good:
            raise typer.Exit(EXIT_FAILED)
        if not once:
            _keep_up(url)


def _new_run(runs: Path) -> Path:
    """A fresh folder for this run; older runs beyond the last few are removed."""
    old = sorted(p for p in runs.glob("run-*") if p.is_dir())
    for folder in old[: max(0, len(old) - KEPT_RUNS + 1)]:
        shutil.rmtree(folder)
    folder = runs / datetime.now(UTC).strftime("run-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    return folder


def _free_port(wanted: int) -> int:
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise XiaozhengError("no free port", message_zh="没有可用端口")


def _write_settings(suite: Suite, kinds: Kinds, folder: Path) -> list[str]:
    """Camera and kind files of the demo, and the options that name them."""
    quick = [kind.model_copy(update={"end_after_s": DEMO_END_AFTER_S}) for kind in kinds.kinds]
    documents: dict[str, Any] = {
        "cameras": [clip.camera for clip in suite.clips],
        "kinds": [kind.model_dump(mode="json") for kind in quick],
    }
    options: list[str] = []
    for name, entries in documents.items():
        path = folder / f"{name}.yaml"
        path.write_text(
            yaml.safe_dump({name: entries}, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        options += [f"--{name}", str(path)]
    return options


@contextmanager
def _service(suite: Suite, kinds: Kinds, folder: Path, port: int) -> Iterator[str]:
    """The real service in a process of its own, ready to answer; stopped on the way out."""
    command = [sys.executable, "-m", "xiaozheng.cli.main", "serve", "--port", str(port)]
    command += ["--var", str(folder), *_write_settings(suite, kinds, folder)]
    log_path = folder / "service.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_ready(url, process, log_path)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_ready(url: str, process: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = monotonic() + START_TIMEOUT_S
    with err.status("正在加载模型并启动服务…"):
        while monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            sleep(0.2)
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise XiaozhengError(
        f"the service did not become ready; end of {log_path}:\n{tail}",
        message_zh="服务未能就绪",
    )


def _play_everything(client: httpx.Client, suite: Suite, *, fps: float) -> DemoResult:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=CLIPS_BEGAN_S_AGO)
    clips = [(clip, SAMPLES / clip.file) for clip in suite.clips]
    calls = _read_calls()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as progress, ThreadPoolExecutor(len(clips)) as pool:

        def play(clip: SuiteClip, path: Path) -> PlayResult:
            bar = progress.add_task(clip.camera["name"], total=frame_count(path, fps=fps))
            return play_clip(
                client,
                path,
                clip.camera["id"],
                start=start,
                fps=fps,
                on_frames=lambda n: progress.advance(bar, n),
            )

        played = list(pool.map(lambda pair: play(*pair), clips))
        bar = progress.add_task("12345 来电", total=len(calls))
        response = client.post("/v1/transcripts:batch", json=calls)
        response.raise_for_status()
        progress.advance(bar, len(calls))
    incidents = client.get("/v1/incidents", params={"limit": 200}).raise_for_status().json()
    return DemoResult(
        incidents=sorted(incidents["items"], key=lambda i: (i["camera_id"], i["onset_at"])),
        calls=response.json()["results"],
        verdict=judge(suite, incidents["items"], start=start),
        refused=tuple(reason for result in played for reason in result.refused),
    )


def _read_calls() -> list[dict[str, Any]]:
    """The sample calls without their labels: the service must not see the answer."""
    rows = [json.loads(line) for line in SAMPLE_TRANSCRIPTS.read_text("utf-8").splitlines()]
    return [{"id": row["id"], "text": row["text"], "channel": "电话"} for row in rows]


def _print(result: DemoResult, kinds: Kinds, suite: Suite, folder: Path) -> None:
    out.print(incidents_table(result.incidents, kinds, suite, folder))
    out.print(calls_table(result.calls))
    for line in verdict_lines(result.verdict, result.refused):
        out.print(line)


def _as_json(result: DemoResult, folder: Path) -> dict[str, Any]:
    return {
        "incidents": result.incidents,
        "calls": result.calls,
        "verdict": result.verdict.to_dict(),
        "refused": list(result.refused),
        "folder": str(folder),
    }


def _keep_up(url: str) -> None:
    out.print(
        f"\n服务运行中：[link={url}]{url}[/link]（控制台）  {url}/openapi.json（接口）  Ctrl-C 停止"
    )
    # The terminal sends Ctrl-C to the service too; both leave by themselves.
    while True:
        try:
            httpx.get(f"{url}/healthz", timeout=5)
            sleep(2)
        except (KeyboardInterrupt, httpx.TransportError):
            return
