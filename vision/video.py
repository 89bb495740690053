"""Video files as frames with media time from the container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from ..config.errors import SourceError
from .images import Image

# Without a stated start a file begins here, so that a second run gives the same incident ids.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What the container says; `duration_s` and `fps` are 0 where it says nothing."""

    width: int
    height: int
    fps: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One decoded frame. `seq` is its number in the file, from 0."""

    image: Image
    ts: datetime
    seq: int


def probe_video(path: Path) -> VideoInfo:
    """Read a file's header.

    Raises:
        SourceError: missing, not readable or not a video.
    """
    capture = _open(path)
    try:
        fps = max(capture.get(cv2.CAP_PROP_FPS), 0.0)
        count = max(capture.get(cv2.CAP_PROP_FRAME_COUNT), 0.0)
        return VideoInfo(
            width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            fps=fps,
            duration_s=count / fps if fps else 0.0,
        )
    finally:
        capture.release()


def frame_count(path: Path, fps: float | None = None) -> int:
    """About how many frames `read_video` will give: for progress bars.

    Raises:
        SourceError: as `probe_video`.
    """
    info = probe_video(path)
    rate = info.fps if fps is None else min(fps, info.fps)
    return max(1, round(info.duration_s * rate))


def read_video(
    path: Path, fps: float | None = None, start: datetime = EPOCH
) -> Iterator[VideoFrame]:
    """Frames in order, at most `fps` a second of media time (all of them when None).

    Only the frames that are given out are converted; the others are passed over by the codec.

    Raises:
        SourceError: missing, not readable, not a video, or a video without a single frame.
    """
    capture = _open(path)
    try:
        clock = _Clock(max(capture.get(cv2.CAP_PROP_FPS), 0.0) or 25.0)
        half_frame_s = clock.frame_s / 2
        due_s, seq, given = 0.0, 0, 0
        while capture.grab():
            at_s = clock.tick(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            if at_s + half_frame_s >= due_s:
                done, image = capture.retrieve()
                if done:
                    ts = start + timedelta(seconds=at_s)
                    yield VideoFrame(np.asarray(image, dtype=np.uint8), ts, seq)
                    given += 1
                if fps is not None:
                    due_s = max(due_s + 1 / fps, at_s)
            seq += 1
        if not given:
            raise SourceError(
                f"{path}: holds no readable frame", message_zh=f"视频中没有可读取的画面：{path}"
            )
    finally:
        capture.release()


class _Clock:
    """Container time stamps from the first frame on.

    Made strictly growing where a container has no time stamps or repeats them.
    """

    def __init__(self, fps: float) -> None:
        self.frame_s = 1 / fps
        self._first_s: float | None = None
        self._last_s = 0.0

    def tick(self, stamp_s: float) -> float:
        """Seconds since the first frame."""
        if self._first_s is None:
            self._first_s = stamp_s
        elif stamp_s - self._first_s > self._last_s:
            self._last_s = stamp_s - self._first_s
        else:
            self._last_s += self.frame_s
        return self._last_s


def _open(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise SourceError(
            f"{path}: {what}",
            message_zh=f"{'这是文件夹，不是视频' if path.is_dir() else '视频文件不存在'}：{path}",
        )
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened() or capture.get(cv2.CAP_PROP_FRAME_WIDTH) < 1:
        capture.release()
        raise SourceError(f"{path}: not a readable video", message_zh=f"不是可读取的视频：{path}")
    return capture
