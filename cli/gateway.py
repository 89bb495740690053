"""A small video gateway: plays clips into the service over HTTP, as a city's gateways do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import sleep
from typing import Any

import cv2
import httpx

from ..config.errors import BusyError, SourceError
from ..vision.video import VideoFrame, read_video

FRAMES_PER_POST = 8
JPEG_QUALITY = 90
MAX_TRIES = 8


@dataclass(frozen=True, slots=True)
class PlayResult:
    """What the service answered to one clip."""

    accepted: int
    refused: tuple[str, ...]


def play_clip(
    client: httpx.Client,
    clip: Path,
    camera_id: str,
    *,
    start: datetime,
    fps: float,
    on_frames: Callable[[int], None],
) -> PlayResult:
    """Send a clip's frames in order, a few per request; `start` is the first frame's media time.

    Raises:
        SourceError: the clip cannot be read.
        BusyError: the service stayed busy through all tries.
        httpx.HTTPError: the service refused a whole request or went away.
    """
    accepted, refused = 0, []
    for frames in _chunks(read_video(clip, fps=fps, start=start), FRAMES_PER_POST):
        for result in _post(client, camera_id, frames)["results"]:
            if result["status"] == "ok":
                accepted += 1
            else:
                reason = result.get("error", {}).get("message_zh", result["status"])
                refused.append(f"{clip.name} seq {frames[result['index']].seq}: {reason}")
        on_frames(len(frames))
    return PlayResult(accepted=accepted, refused=tuple(refused))


def _chunks(frames: Iterable[VideoFrame], size: int) -> Iterator[list[VideoFrame]]:
    iterator = iter(frames)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _post(client: httpx.Client, camera_id: str, frames: list[VideoFrame]) -> dict[str, Any]:
    metadata = [
        {"camera_id": camera_id, "ts": f.ts.isoformat(), "seq": f.seq, "part": f"frame{i}"}
        for i, f in enumerate(frames)
    ]
    files: list[tuple[str, tuple[str | None, bytes, str]]] = [
        ("metadata", (None, json.dumps(metadata).encode(), "application/json"))
    ]
    files += [(f"frame{i}", (f"{i}.jpg", _jpeg(f), "image/jpeg")) for i, f in enumerate(frames)]
    for _ in range(MAX_TRIES):
        response = client.post("/v1/frames:batch", files=files)
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            response.raise_for_status()
            answer: dict[str, Any] = response.json()
            return answer
        # Backpressure is part of the contract: wait as told and send the same frames again.
        sleep(float(response.headers["Retry-After"]))
    raise BusyError("the service stayed busy", retry_after_s=5, message_zh="服务持续繁忙")


def _jpeg(frame: VideoFrame) -> bytes:
    done, data = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise SourceError(f"frame {frame.seq} cannot be encoded as JPEG")
    return bytes(data.tobytes())
