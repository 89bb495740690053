"""The tracks of a CVAT-for-video 1.1 file: where every thing stands in any frame."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..config.errors import DatasetError
from .cvat import BOXED, UNBOXED, Corners, corners_of, label_names, unboxed_notes
from .problems import Fault, Problem
from .xmltree import Element, parse_xml

MAX_FRAME = 10_000_000
"""Four days at 25 frames a second; a larger number is no frame."""


@dataclass(frozen=True, slots=True)
class Key:
    """One box of a track."""

    frame: int
    corners: Corners
    outside: bool
    occluded: bool
    line: int


@dataclass(frozen=True, slots=True)
class Track:
    """One thing. `keys` ascend by frame; in the frames `unclear` (first, last) a row is broken."""

    label: str
    keys: tuple[Key, ...]
    unclear: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Tracks:
    """One XML file.

    Attributes:
        start, stop, step: first and last labelled frame and the distance between them.
        size: labelled width and height in pixels.
        video: file name of the clip, as the header tells it.
    """

    names: tuple[str, ...]
    tracks: tuple[Track, ...]
    start: int
    stop: int
    step: int
    size: tuple[float, float] | None
    video: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def boxes_at(self, frame: int) -> list[tuple[str, Key]]:
        """Class and box of everything that stands in a frame."""
        found = ((track.label, key_at(track.keys, frame)) for track in self.tracks)
        return [(label, key) for label, key in found if key is not None]

    def is_clear(self, frame: int) -> bool:
        """Whether no track has a broken row that leaves this frame in doubt."""
        return not any(
            first <= frame <= last for track in self.tracks for first, last in track.unclear
        )


def read_tracks(file: Path) -> Tracks:
    """All tracks of a file; broken rows are listed in its problems.

    Raises:
        DatasetError: broken XML, or a file of pictures (CVAT for images).
    """
    root = parse_xml(file)
    if root.first("track") is None and root.first("image") is not None:
        raise DatasetError(
            f"{file}: this is CVAT for images; use the format cvat-images",
            message_zh=f"{file} 是 CVAT for images 格式，请用 cvat-images 导入",
        )
    start, stop, step, size = _extent(root)
    tracks: list[Track] = []
    problems: list[Problem] = []
    unboxed: Counter[str] = Counter()
    for element in root.every("track"):
        keys, broken, faults = _keys(element, file)
        problems += faults
        unboxed.update(child.tag for child in element.children if child.tag in UNBOXED)
        label = element.attributes.get("label", "")
        tracks.append(Track(label, tuple(keys), _unclear(keys, broken, stop)))
    video = root.told("meta", "task", "source") or root.told("meta", "source")
    return Tracks(
        label_names(root), tuple(tracks), start, stop, step, size, video,
        tuple(problems), tuple(unboxed_notes(unboxed)),
    )  # fmt: skip


def key_at(keys: Sequence[Key], frame: int) -> Key | None:
    """The box of one track in a frame; None before its first key and while it is outside.

    As in CVAT: corners move in a straight line from key to key, all else holds until the next
    key, a key marked outside ends the box until the next one, the last key holds for ever.
    """
    index = bisect_right(keys, frame, key=lambda k: k.frame) - 1
    if index < 0 or keys[index].outside:
        return None
    key = keys[index]
    if index + 1 == len(keys):
        return replace(key, frame=frame)
    after = keys[index + 1]
    part = (frame - key.frame) / (after.frame - key.frame)
    a, b, c, d = (p + (q - p) * part for p, q in zip(key.corners, after.corners, strict=True))
    return replace(key, frame=frame, corners=(a, b, c, d))


def _extent(root: Element) -> tuple[int, int, int, tuple[float, float] | None]:
    """First and last labelled frame, the step, and the size, as the header tells them."""
    head = next((h for kind in ("task", "job") if (h := root.first("meta", kind))), None)
    last = max((_whole(b.attributes.get("frame")) or 0 for t in root.every("track")
                for b in t.children), default=0)  # fmt: skip
    if head is None:
        return 0, last, 1, None
    start = _whole(head.told("start_frame")) or 0
    step = _whole(head.told("frame_filter").removeprefix("step=")) or 1
    count = _whole(head.told("size"))
    stop = _whole(head.told("stop_frame"))
    if stop is None:
        stop = start + (count - 1) * step if count else last
    original = head.first("original_size") or root.first("meta", "original_size")
    size = None
    if original:
        width, height = _whole(original.told("width")), _whole(original.told("height"))
        size = (float(width), float(height)) if width and height else None
    return start, stop, step, size


def _keys(track: Element, file: Path) -> tuple[list[Key], list[int], list[Problem]]:
    """Sound boxes of a track in order, frames of the broken ones (−1: unknown), complaints."""
    keys: dict[int, Key] = {}
    broken: list[int] = []
    problems: list[Problem] = []
    for child in track.children:
        if child.tag not in BOXED:
            continue
        told = child.attributes
        frame = _whole(told.get("frame"))
        corners: Corners | Fault = Fault("bad_row", f"frame {told.get('frame')!r} is no number")
        if frame is not None:
            corners = corners_of(child)
            if frame in keys:
                corners = Fault("duplicate_box", f"frame {frame} twice in one track")
        if isinstance(corners, Fault) or frame is None:
            fault = corners if isinstance(corners, Fault) else Fault("bad_row", "no frame")
            problems.append(Problem(file, child.line, fault.reason, fault.code))
            broken.append(-1 if frame is None else frame)
            continue
        outside, occluded = told.get("outside") == "1", told.get("occluded") == "1"
        keys[frame] = Key(frame, corners, outside, occluded, child.line)
    return [keys[f] for f in sorted(keys)], broken, problems


def _unclear(keys: Sequence[Key], broken: Sequence[int], stop: int) -> tuple[tuple[int, int], ...]:
    """Frames in which a track with broken rows may have a box that nobody can place."""
    spans: list[tuple[int, int]] = []
    for frame in broken:
        if frame < 0:
            return ((keys[0].frame if keys else 0, stop),)
        first = max((k.frame + 1 for k in keys if k.frame < frame), default=frame)
        last = min((k.frame - 1 for k in keys if k.frame > frame), default=stop)
        # A row that comes twice has a sound one in its own frame, yet which is right?
        spans.append((min(first, frame), max(last, frame)))
    return tuple(spans)


def _whole(text: str | None) -> int | None:
    """A frame number or size; None for anything else."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_FRAME)):
        return None
    return int(text) if int(text) <= MAX_FRAME else None
