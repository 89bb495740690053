"""From a foreign source to sound pictures under our names: read, rename, decode each once."""

from __future__ import annotations

from collections.abc import Mapping

from ..config.errors import DatasetError
from .aliases import rename, unknown_names
from .cvat_video import Cut
from .folder import Dataset
from .formats import Source, read_source
from .pictures import check_pictures
from .problems import complain
from .scan import Scan, Watch, ticker, unwatched
from .table import Table, merge


def take_in(
    source: Source,
    cut: Cut,
    aliases: Mapping[str, str] | None = None,
    *,
    keep_names: bool = False,
    watch: Watch = unwatched,
) -> Scan:
    """Everything usable of a source; broken files and rows are listed in the scan's problems.

    Args:
        aliases: foreign class → ours, before the built-in table; "" leaves a class out.
        keep_names: keep the source's own classes instead of the detector's.

    Raises:
        DatasetError: nothing usable at all; the text lists what was wrong.
    """
    scan = read_source(source, cut, watch)
    strange = {} if keep_names else unknown_names(scan, aliases)
    if not keep_names:
        scan = rename(scan, aliases)
    sound, broken = check_pictures(scan.table, ticker(watch, "检查图片", len(scan.table)))
    kept = [p for p, good in zip(scan.table.pictures, sound, strict=True) if good]
    parts = tuple(p for p, good in zip(scan.parts, sound, strict=False) if good)
    problems = (*scan.problems, *broken)
    notes = list(scan.notes)
    if strange:
        shown = "、".join(f"{name}（{count} 框）" for name, count in strange.items())
        example = next(iter(strange))
        notes.append(
            f"未知类别：{shown}，含有它们的图片未导入；"
            f"可用 --alias {example}=bin 归入某类，或 --alias {example}= 略去"
        )
    if not kept:
        error = complain(problems) if problems else DatasetError("no pictures")
        hint = "\n".join(notes)
        raise DatasetError(
            f"{source.place}: nothing usable; {error}",
            message_zh=f"{source.place} 中没有可用的图片。{hint}\n{error.message_zh}".strip(),
        )
    table = scan.table.select(kept)
    return Scan(table, problems, tuple(notes), parts, scan.looked_for())


def add_to(dataset: Dataset, scan: Scan) -> tuple[Table, tuple[str, ...]]:
    """A data set and new pictures as one table with its parts; the new ones are not split.

    Raises:
        DatasetError: the class names differ.
    """
    table = merge([dataset.table, scan.table])
    return table, (*dataset.parts, *(scan.parts or ("",) * len(scan.table)))
