"""CVAT-for-video 1.1 XML: tracks of keyframes over the frames of a clip."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ..config.errors import DatasetError
from .clips import CLIP_SUFFIXES, Novelty, frames_at, open_clip, overlap, save_frame, ticks
from .coco import size_of
from .cvat import (
    BOXED,
    FILE,
    UNBOXED,
    Corners,
    corner_attributes,
    corners_of,
    label_names,
    pixel_boxes,
    unboxed_notes,
    xml_head,
)
from .folder import link_or_copy
from .problems import Fault, Problem
from .scan import ASPECT_SLACK, Labelled, Scan, Shape, Watch, assemble, unwatched
from .table import Picture, Table
from .xmltree import Element, parse_xml
from .yolo import IMAGE_SUFFIXES

IMAGES = "images"
LINK_IOU = 0.5
"""Boxes of one class in neighbouring pictures that overlap so much are written as one track."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How clips become pictures.

    Attributes:
        work: folder for the frames; the caller removes it when the table has been written.
        fps: pictures per second of video.
        keep_occluded: whether boxes marked occluded count.
        every: keep frames that look like the one before, too.
    """

    work: Path
    fps: float = 2.0
    keep_occluded: bool = True
    every: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One box of a track."""

    frame: int
    corners: Corners
    outside: bool
    occluded: bool
    line: int


@dataclass(frozen=True, slots=True)
class Tracks:
    """One XML file.

    Attributes:
        boxes: class and box by frame.
        spoiled: frames in which some track's box is broken; they cannot be used.
        start, stop, step: first and last labelled frame and the distance between them.
        size: labelled width and height in pixels.
        source: file name of the video, as the header tells it.
    """

    names: tuple[str, ...]
    boxes: Mapping[int, list[tuple[str, Key]]]
    spoiled: frozenset[int]
    start: int
    stop: int
    step: int
    size: tuple[float, float] | None
    source: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def scan_cvat_video(
    source: Path, cut: Cut, video: Path | None = None, name: str = "", watch: Watch = unwatched
) -> Scan:
    """Read labelled clips and cut them to pictures; every clip is one group.

    Args:
        source: the XML file, or a folder of them, each with its video (or frames) beside it.
        video: the video of the one XML file, or a folder of its frames; by default the file of
            the same stem, the one the XML names, the only video beside it, or `images/`.

    Raises:
        DatasetError: no XML file, or the only one there is cannot be used.
        OSError: a frame cannot be written.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*.xml"))
    if not files:
        raise DatasetError(f"{source}: no XML file", message_zh=f"没有 XML 标注文件：{source}")
    if video is not None and len(files) > 1:
        raise DatasetError(
            f"{source}: --video goes with one XML file, there are {len(files)}",
            message_zh=f"指定视频时只能有一个 XML 文件，{source} 中有 {len(files)} 个",
        )
    names: dict[str, None] = {}
    items: list[Labelled] = []
    problems: list[Problem] = []
    notes: list[str] = []
    labels: set[str] = set()
    for file in files:
        try:
            tracks = read_tracks(file, cut.keep_occluded)
            footage = video or _footage(file, tracks.source)
            label = _fresh(footage.parent.name if footage.name == IMAGES else footage.stem, labels)
            found, faults, told = _pictures(tracks, file, footage, label, cut, watch)
        except DatasetError as error:
            if len(files) == 1:
                raise
            problems.append(Problem(file, 0, str(error), "unreadable_labels"))
            continue
        names |= dict.fromkeys(tracks.names)
        items += found
        problems += [*tracks.problems, *faults]
        notes += [f"{label}：{note}" for note in (*tracks.notes, *told)]
    return assemble(items, tuple(names), name, problems, notes)


def read_tracks(file: Path, keep_occluded: bool = True) -> Tracks:
    """Every track's boxes in every frame, as CVAT shows them.

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
    boxes: defaultdict[int, list[tuple[str, Key]]] = defaultdict(list)
    spoiled: set[int] = set()
    problems: list[Problem] = []
    unboxed: Counter[str] = Counter()
    hidden = 0
    for track in root.every("track"):
        keys, broken, faults = _keys(track, file)
        problems += faults
        spoiled |= _doubtful(keys, broken, stop)
        unboxed.update(child.tag for child in track.children if child.tag in UNBOXED)
        for key in interpolate(keys, stop):
            if key.occluded and not keep_occluded:
                hidden += 1
            elif key.frame >= start:
                boxes[key.frame].append((track.attributes.get("label", ""), key))
    notes = unboxed_notes(unboxed)
    notes += [f"{hidden} 个被遮挡的框按要求略去"] if hidden else []
    video = root.told("meta", "task", "source") or root.told("meta", "source")
    return Tracks(
        label_names(root), boxes, frozenset(spoiled), start, stop, step, size, video,
        tuple(problems), tuple(notes),
    )  # fmt: skip


def interpolate(keys: Sequence[Key], stop: int) -> Iterator[Key]:
    """The boxes of one track in every frame from its first key to `stop` inclusive.

    As in CVAT: corners move in a straight line from key to key, all else holds until the next
    key, a key marked outside ends the box until the next one, the last key holds to the end.
    `keys` ascend by frame.
    """
    for key, after in zip(keys, [*keys[1:], None], strict=True):
        if key.outside:
            continue
        end = after.frame if after else stop + 1
        for frame in range(key.frame, min(end, stop + 1)):
            corners = key.corners
            if after and frame > key.frame:
                part = (frame - key.frame) / (after.frame - key.frame)
                a, b, c, d = (
                    p + (q - p) * part for p, q in zip(key.corners, after.corners, strict=True)
                )
                corners = (a, b, c, d)
            yield replace(key, frame=frame, corners=corners)


def write_cvat_video(table: Table, folder: Path) -> None:
    """Write each group as a folder with `annotations.xml` and its frames under `images/`.

    Boxes of one class that overlap from picture to picture become one track. Pictures without
    group go into one folder for each size.

    Raises:
        DatasetError: a picture cannot be read, or the pictures of a group differ in size.
    """
    clips: defaultdict[str, list[Picture]] = defaultdict(list)
    sizes: dict[str, tuple[int, int]] = {}
    for item in table.pictures:
        size = size_of(item.path)
        clip = item.group.replace("/", "_") or f"pictures_{size[0]}x{size[1]}"
        if sizes.setdefault(clip, size) != size:
            raise DatasetError(
                f"{item.path}: {size[0]}×{size[1]}, others of {clip} differ; a clip has one size",
                message_zh=f"{item.path}：同一片段（{clip}）的图片尺寸不一致",
            )
        clips[clip].append(item)
    for clip, pictures in clips.items():
        (folder / clip / IMAGES).mkdir(parents=True)
        for number, item in enumerate(pictures):
            frame = f"frame_{number:06d}{item.path.suffix.lower()}"
            link_or_copy(item.path, folder / clip / IMAGES / frame)
        text = _xml(pictures, table.names, sizes[clip])
        (folder / clip / FILE).write_text(text, encoding="utf-8")


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


def _doubtful(keys: Sequence[Key], broken: Sequence[int], stop: int) -> set[int]:
    """Frames in which a track with broken rows may have a box that nobody can place."""
    spoiled: set[int] = set()
    for frame in broken:
        if frame < 0:
            return set(range(keys[0].frame if keys else 0, stop + 1))
        first = max((k.frame + 1 for k in keys if k.frame < frame), default=frame)
        last = min((k.frame - 1 for k in keys if k.frame > frame), default=stop)
        spoiled |= {frame, *range(first, last + 1)}
    return spoiled


def _footage(file: Path, told: str) -> Path:
    """The video or the folder of frames that belongs to an XML file.

    Raises:
        DatasetError: there is none, or there are several.
    """
    videos = [p for p in sorted(file.parent.iterdir()) if p.suffix.lower() in CLIP_SUFFIXES]
    for fits in (
        [p for p in videos if p.stem == file.stem],
        [p for p in videos if p.name == told],
        videos,
    ):
        if len(fits) == 1:
            return fits[0]
    frames = file.parent / IMAGES
    if not videos and frames.is_dir():
        return frames
    raise DatasetError(
        f"{file}: {len(videos)} videos beside it and none named {told or file.stem!r};"
        " tell it with --video",
        message_zh=f"{file} 旁边有 {len(videos)} 个视频，无法确定哪一个，请用 --video 指明",
    )


def _pictures(
    tracks: Tracks, file: Path, footage: Path, label: str, cut: Cut, watch: Watch
) -> tuple[list[Labelled], list[Problem], list[str]]:
    if footage.is_dir():
        return _from_frames(tracks, file, footage, label)
    return _from_video(tracks, file, footage, label, cut, watch)


def _from_video(
    tracks: Tracks, file: Path, footage: Path, label: str, cut: Cut, watch: Watch
) -> tuple[list[Labelled], list[Problem], list[str]]:
    clip = open_clip(footage)
    _check_size(tracks, file, footage, (clip.width, clip.height))
    wanted = ticks(tracks.start, tracks.stop, clip.fps, cut.fps)
    usable = [n for n in wanted if n not in tracks.spoiled]
    novelty = Novelty()
    found: list[Labelled] = []
    met = 0
    for number, image in frames_at(clip, usable):
        met += 1
        watch(f"切帧 {label}", met, len(usable))
        boxes = tracks.boxes.get(number, [])
        if novelty.is_new(image, [(n, k.corners) for n, k in boxes]) or cut.every:
            path = cut.work / f"{label}_{number:06d}.jpg"
            save_frame(image, path)
            found.append(_labelled(tracks, path, file, number, label))
    problems: list[Problem] = []
    if met < len(usable):
        reason = f"labels reach to frame {tracks.stop}, the video ends before {usable[met]}"
        problems.append(Problem(footage, 0, reason, "missing_picture"))
    notes = [f"每秒 {cut.fps:g} 帧，共 {met} 帧，略去近似重复 {met - len(found)} 帧"]
    if spoiled := len(wanted) - len(usable):
        notes.append(f"{spoiled} 帧因轨迹有误未导入")
    return found, problems, notes


def _from_frames(
    tracks: Tracks, file: Path, footage: Path, label: str
) -> tuple[list[Labelled], list[Problem], list[str]]:
    frames = sorted(p for p in footage.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    numbered = {tracks.start + i * tracks.step: path for i, path in enumerate(frames)}
    found = [
        _labelled(tracks, path, file, number, label)
        for number, path in numbered.items()
        if number <= tracks.stop and number not in tracks.spoiled
    ]
    wanted = range(tracks.start, tracks.stop + 1, tracks.step)
    problems: list[Problem] = []
    if missing := [n for n in wanted if n not in numbered]:
        reason = f"no picture for frames {missing[0]} to {missing[-1]}"
        problems.append(Problem(footage, 0, reason, "missing_picture"))
    return found, problems, []


def _labelled(tracks: Tracks, path: Path, file: Path, number: int, label: str) -> Labelled:
    shapes = [
        Shape(name, key.corners, key.line, f"frame {number}")
        for name, key in tracks.boxes.get(number, [])
    ]
    return Labelled(path, file, size=tracks.size, shapes=shapes, group=f"clip/{label}")


def _check_size(tracks: Tracks, file: Path, footage: Path, actual: tuple[int, int]) -> None:
    if tracks.size is None:
        return
    width, height = tracks.size
    if abs(width * actual[1] / (height * actual[0]) - 1) > ASPECT_SLACK:
        raise DatasetError(
            f"{file}: labelled at {width:g}×{height:g}, {footage.name} is {actual[0]}×{actual[1]}",
            message_zh=f"{file} 标注的画面为 {width:g}×{height:g}，"
            f"视频 {footage.name} 为 {actual[0]}×{actual[1]}，不是同一个视频",
        )


def _fresh(label: str, taken: set[str]) -> str:
    fresh, number = label, 1
    while fresh in taken:
        number += 1
        fresh = f"{label}-{number}"
    taken.add(fresh)
    return fresh


def _xml(pictures: Sequence[Picture], names: Sequence[str], size: tuple[int, int]) -> str:
    lines = xml_head(names, len(pictures), size)
    for number, (label, track) in enumerate(_linked(pictures, names, size)):
        lines.append(f'  <track id="{number}" label={quoteattr(label)} source="manual">')
        lines += [_box(frame, corners, outside=False) for frame, corners in track]
        last, corners = track[-1]
        if last + 1 < len(pictures):
            lines.append(_box(last + 1, corners, outside=True))
        lines.append("  </track>")
    return "\n".join([*lines, "</annotations>"]) + "\n"


def _linked(
    pictures: Sequence[Picture], names: Sequence[str], size: tuple[int, int]
) -> list[tuple[str, list[tuple[int, Corners]]]]:
    """Boxes joined to tracks: each box to the one of its class it overlaps most, frame before."""
    tracks: list[tuple[str, list[tuple[int, Corners]]]] = []
    for frame, item in enumerate(pictures):
        free = [t for t in tracks if t[1][-1][0] == frame - 1]
        for label, corners in pixel_boxes(item, names, *size):
            fits = [(overlap(t[1][-1][1], corners), i) for i, t in enumerate(free) if t[0] == label]
            best, index = max(fits, default=(0.0, -1))
            if best >= LINK_IOU:
                free.pop(index)[1].append((frame, corners))
            else:
                tracks.append((label, [(frame, corners)]))
    return tracks


def _box(frame: int, corners: Corners, *, outside: bool) -> str:
    return (
        f'    <box frame="{frame}" keyframe="1" outside="{int(outside)}" occluded="0"'
        f' {corner_attributes(corners)} z_order="0"></box>'
    )


def _whole(text: str | None) -> int | None:
    """A frame number or size; None for anything else."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
