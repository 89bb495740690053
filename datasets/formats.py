"""Every label format by name: one way in, one way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import DatasetError
from .coco import scan_coco, write_coco
from .cvat import scan_cvat_images, write_cvat_images
from .cvat_video import Cut, scan_cvat_video
from .cvat_video_write import write_cvat_video
from .disk import Tick, drafted, no_tick
from .folder import scan_dataset
from .label_studio import scan_label_studio, write_label_studio
from .labelme import scan_labelme, write_labelme
from .scan import Scan, Watch, unwatched
from .table import Table
from .yolo_layouts import scan_yolo_folder, write_yolo_folder

Reader = Callable[[Path, Path | None, str], Scan]
Writer = Callable[[Table, Path, Tick], None]

FORMATS = ("yolo", "coco", "cvat-video", "cvat-images", "labelme", "label-studio")
OWN = "xiaozheng"
"""A data-set folder of ours as a source: scenes, sources and parts are kept."""

_READERS: dict[str, Reader] = {
    "yolo": scan_yolo_folder,
    "coco": scan_coco,
    "cvat-images": scan_cvat_images,
    "labelme": scan_labelme,
    "label-studio": scan_label_studio,
    OWN: lambda place, _images, _name: _scan_own(place),
}
_WRITERS: dict[str, Writer] = {
    "coco": write_coco,
    "cvat-video": write_cvat_video,
    "cvat-images": write_cvat_images,
    "labelme": write_labelme,
    "label-studio": write_label_studio,
}


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be read.

    Attributes:
        place: the file or folder.
        name: source kept with every picture; the place's name by default.
        images: where the pictures lie, when not beside the labels.
        video: the video of a single CVAT-for-video file.
    """

    format: str
    place: Path
    name: str = ""
    images: Path | None = None
    video: Path | None = None


def read_source(source: Source, cut: Cut, watch: Watch = unwatched) -> Scan:
    """Read a source of any format.

    Raises:
        DatasetError: unknown format, or nothing there that could be read.
    """
    name = source.name or source.place.stem
    if source.format == "cvat-video":
        footage = source.video or source.images
        return scan_cvat_video(source.place, cut, footage, name, watch)
    if source.format not in _READERS:
        raise _unknown(source.format)
    if source.video is not None:
        raise DatasetError(
            f"--video goes with cvat-video, not {source.format}",
            message_zh=f"--video 只用于 cvat-video，不用于 {source.format}",
        )
    return _READERS[source.format](source.place, source.images, name)


def export(
    table: Table,
    format_: str,
    folder: Path,
    parts: Sequence[str] = (),
    tick: Tick = no_tick,
) -> None:
    """Write a table in any format as a new folder, whole or not at all.

    `parts` shapes the folder where the format knows parts (YOLO).

    Raises:
        DatasetError: unknown format, the folder exists, or it cannot be written.
    """
    if format_ != "yolo" and format_ not in _WRITERS:
        raise _unknown(format_)
    if folder.exists():
        raise DatasetError(f"{folder}: exists already", message_zh=f"目录已存在：{folder}")
    with drafted(folder) as draft:
        if format_ == "yolo":
            write_yolo_folder(table, draft, parts, tick)
        else:
            _WRITERS[format_](table, draft, tick)


def _scan_own(place: Path) -> Scan:
    dataset, problems = scan_dataset(place)
    labelled = dataset.about.labelled
    return Scan(dataset.table, problems, parts=dataset.parts, labelled=labelled)


def _unknown(format_: str) -> DatasetError:
    return DatasetError(
        f"no format {format_!r} (there are {', '.join((*FORMATS, OWN))})",
        message_zh=f"没有格式 {format_}（可用：{'、'.join((*FORMATS, OWN))}）",
    )
