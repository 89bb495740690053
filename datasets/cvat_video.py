"""CVAT-for-video 1.1 with its clips: cut to pictures, each with the boxes of its frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config.errors import DatasetError
from .clips import CLIP_SUFFIXES, Novelty, frames_at, open_clip, save_frame, ticks
from .cvat_tracks import Key, Tracks, read_tracks
from .cvat_video_write import IMAGES
from .problems import Problem
from .scan import ASPECT_SLACK, Labelled, Scan, Shape, Watch, assemble, unwatched
from .yolo import IMAGE_SUFFIXES

Boxes = list[tuple[str, Key]]


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
            tracks = read_tracks(file)
            footage = video or _footage(file, tracks.video)
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
        return _from_frames(tracks, file, footage, label, cut)
    return _from_video(tracks, file, footage, label, cut, watch)


def _from_video(
    tracks: Tracks, file: Path, footage: Path, label: str, cut: Cut, watch: Watch
) -> tuple[list[Labelled], list[Problem], list[str]]:
    clip = open_clip(footage)
    _check_size(tracks, file, footage, (clip.width, clip.height))
    wanted = ticks(tracks.start, tracks.stop, clip.fps, cut.fps)
    usable = [n for n in wanted if tracks.is_clear(n)]
    novelty = Novelty()
    found: list[Labelled] = []
    met = hidden = 0
    for number, image in frames_at(clip, usable):
        met += 1
        watch(f"切帧 {label}", met, len(usable))
        boxes = _boxes(tracks, number, cut)
        if novelty.is_new(image, [(n, k.corners) for n, k in boxes]) or cut.every:
            path = cut.work / f"{label}_{number:06d}.jpg"
            save_frame(image, path)
            found.append(_labelled(tracks, path, file, number, label, boxes))
            hidden += len(tracks.boxes_at(number)) - len(boxes)
    problems: list[Problem] = []
    if met < len(usable):
        reason = f"labels reach to frame {tracks.stop}, the video ends before {usable[met]}"
        problems.append(Problem(footage, 0, reason, "missing_picture"))
    notes = [f"每秒 {cut.fps:g} 帧，共 {met} 帧，略去近似重复 {met - len(found)} 帧"]
    if unclear := len(wanted) - len(usable):
        notes.append(f"{unclear} 帧因轨迹有误未导入")
    if hidden:
        notes.append(f"{hidden} 个被遮挡的框按要求略去")
    return found, problems, notes


def _from_frames(
    tracks: Tracks, file: Path, footage: Path, label: str, cut: Cut
) -> tuple[list[Labelled], list[Problem], list[str]]:
    frames = sorted(p for p in footage.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    wanted = range(tracks.start, tracks.stop + 1, tracks.step)
    found = [
        _labelled(tracks, path, file, number, label, _boxes(tracks, number, cut))
        for number, path in zip(wanted, frames, strict=False)
        if tracks.is_clear(number)
    ]
    problems: list[Problem] = []
    if len(frames) < len(wanted):
        reason = f"no picture for frames {wanted[len(frames)]} to {wanted[-1]}"
        problems.append(Problem(footage, 0, reason, "missing_picture"))
    return found, problems, []


def _boxes(tracks: Tracks, number: int, cut: Cut) -> Boxes:
    return [
        (name, key)
        for name, key in tracks.boxes_at(number)
        if cut.keep_occluded or not key.occluded
    ]


def _labelled(
    tracks: Tracks, path: Path, file: Path, number: int, label: str, boxes: Boxes
) -> Labelled:
    shapes = [Shape(name, key.corners, key.line, f"frame {number}") for name, key in boxes]
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
