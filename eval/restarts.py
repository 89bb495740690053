"""Killing the server again and again: is anything lost, doubled or changed?

The same drawn streets are sent twice by gateways that repeat what was not answered: once to a
server that is left alone, once to one that gets SIGKILL at random points, while it starts, reads,
detects, writes or answers. Afterwards both must show the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import yaml

from ..config.errors import InputError
from ..models.registry import Registry
from .restarts_compare import Aftermath, compare, look_at
from .restarts_scene import Scene, cameras_of, draw_up
from .restarts_server import RETRY_S, Gateway, Reader, Sent, Server, ServerError

# One kill in so many comes before the server is up.
EARLY_SHARE = 0.15
STRUCK_SHARE = 0.9
MAX_EARLY_S = 0.6
MAX_BLOW_S = 0.04
READ_WITHIN_S = 10.0
Progress = Callable[[str, int, int], None]
TEST_SHELF = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "shelf"


@dataclass(frozen=True, slots=True)
class RestartPlan:
    """What to do; everything but the moment of a blow follows from the seed."""

    kills: int
    seed: int
    cameras: int = 4
    seconds: int = 360
    shelf: Path | None = None
    detector: str = "colours"

    def shelf_folder(self) -> Path:
        """Raises InputError when there is no such detector."""
        folder = self.shelf or TEST_SHELF
        if self.detector.partition("@")[0] not in Registry(folder).names():
            raise InputError(
                f"shelf {folder} has no detector {self.detector!r}; give --shelf and --detector",
                message_zh=f"模型库 {folder} 中没有检测模型 {self.detector}，"
                "请用 --shelf 与 --detector 指定",
            )
        return folder


@dataclass(slots=True)
class Run:
    """One pass of all streets through one server."""

    aftermath: Aftermath
    sent: Sent
    read: list[dict[str, Any]]
    kills: int
    early_kills: int
    seconds: float


def run_restarts(plan: RestartPlan, folder: Path, progress: Progress) -> dict[str, Any]:
    """Both passes and their comparison as JSON-able figures; `progress` gets stage, done, total.

    Raises:
        InputError: no such detector.
        ServerError: the server did not come up or refused a frame.
    """
    scenes = [draw_up(f"street-{n}", plan.seconds, plan.seed) for n in range(plan.cameras)]
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=plan.seconds + 3_600)
    shelf = plan.shelf_folder()
    calm = _pass(plan, 0, scenes, start, folder / "calm", shelf, progress)
    killed = _pass(plan, plan.kills, scenes, start, folder / "killed", shelf, progress)
    return {
        "kills": killed.kills,
        "kills_while_starting": killed.early_kills,
        "seed": plan.seed,
        "cameras": plan.cameras,
        "frames": killed.sent.frames,
        "posts": killed.sent.posts,
        "posts_sent_again": killed.sent.resent_posts,
        "frames_known_already": killed.sent.duplicates,
        "seconds": round(killed.seconds, 1),
        "calm_seconds": round(calm.seconds, 1),
        **compare(calm.aftermath, killed.aftermath, killed.read, killed.sent.told),
    }


def _pass(
    plan: RestartPlan,
    kills: int,
    scenes: list[Scene],
    start: datetime,
    folder: Path,
    shelf: Path,
    progress: Progress,
) -> Run:
    folder.mkdir(parents=True)
    cameras = folder / "cameras.yaml"
    cameras.write_text(yaml.safe_dump(cameras_of(scenes), allow_unicode=True), encoding="utf-8")
    settings: dict[str, Any] = {
        "var": folder / "var",
        "cameras": cameras,
        "shelf": shelf,
        "detector": plan.detector,
        "router": "",
        "backend": "onnxruntime",
        "threads": 1,
        "log_level": "warning",
    }
    server = Server(folder, settings)
    sent, reader = Sent(), Reader(server.url)
    gateways = [Gateway(server.url, scene, start, plan.seed, sent) for scene in scenes]
    threads: list[Gateway | Reader] = [*gateways, reader]
    began = monotonic()
    try:
        for thread in threads:
            thread.start()
        early = _kill_often(server, plan, kills, sent, progress)
        server.start()
        server.wait_ready()
        _finish(gateways, sent, "left alone" if kills == 0 else "last lap", plan, progress)
        aftermath = look_at(server.url)
        _wait_for_reader(reader, len(aftermath.events))
    finally:
        for thread in threads:
            thread.leave.set()
        server.stop()
    return Run(aftermath, sent, reader.events, kills, early, monotonic() - began)


def _kill_often(
    server: Server, plan: RestartPlan, kills: int, sent: Sent, progress: Progress
) -> int:
    """Start and kill; how many of the kills came before the server was up.

    The blows fall at random places of the stream; its last part is left to the last start.
    """
    dice = random.Random(f"{plan.seed}/blows")
    frames = plan.cameras * plan.seconds
    early = 0
    for number, place in enumerate(sorted(dice.uniform(0, STRUCK_SHARE) for _ in range(kills))):
        progress("killing", number, kills)
        server.start()
        if dice.random() < EARLY_SHARE:
            early += 1
            sleep(dice.uniform(0, MAX_EARLY_S))
        else:
            server.wait_ready()
            while sent.frames < place * frames and not sent.failures:
                sleep(RETRY_S / 4)
            sleep(dice.uniform(0, MAX_BLOW_S))
        server.kill()
    return early


def _finish(
    gateways: list[Gateway],
    sent: Sent,
    stage: str,
    plan: RestartPlan,
    progress: Progress,
) -> None:
    while any(gateway.is_alive() for gateway in gateways):
        progress(stage, sent.frames, plan.cameras * plan.seconds)
        sleep(0.1)
    if sent.failures:
        raise ServerError(f"{len(sent.failures)} posts were refused: {sent.failures[0]}")


def _wait_for_reader(reader: Reader, count: int) -> None:
    deadline = monotonic() + READ_WITHIN_S
    while len(reader.events) < count and monotonic() < deadline:
        sleep(RETRY_S)
