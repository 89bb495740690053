"""The data-set folder on disk: what `xiaozheng datasets import` writes and training reads.

    DIR/dataset.yaml    class names (with Chinese names), source, licence, created, note
    DIR/images/*        the pictures
    DIR/labels/*.txt    one YOLO file a picture
    DIR/pictures.csv    file, group, source, part (train, val, held or empty)

A folder appears whole or not at all: it is written beside its place and then renamed.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ..config.errors import DatasetError
from ..config.yamlfile import load_yaml
from .disk import Tick, disk_error, drafted, file_names, link_or_copy, no_tick
from .labels import LABELS_ZH
from .problems import Problem, complain
from .split import Split
from .table import Picture, Table, picture, relabel
from .yolo import IMAGE_SUFFIXES, label_text, parse_labels

ABOUT_FILE = "dataset.yaml"
LIST_FILE = "pictures.csv"
COLUMNS = ("file", "group", "source", "part")
PARTS = ("train", "val", "held")


class ClassName(BaseModel):
    """One class: its name in labels and its Chinese name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    zh: str = ""


class About(BaseModel):
    """`dataset.yaml`: the order of `names` gives the class numbers of the label files.

    `labelled` says per source (as in `pictures.csv`) which of the classes were looked for; a source
    that is not named labels all. `absent` names classes that certainly do not occur in any
    picture: every detection of them is a false one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    names: tuple[ClassName, ...] = Field(min_length=1)
    source: str = ""
    licence: str = ""
    created: datetime | None = None
    note: str = ""
    labelled: dict[str, tuple[str, ...]] = {}
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """One source of a data set, under the classes that it labels; `name` tells sources apart."""

    name: str
    about: About
    split: Split

    @property
    def labelled(self) -> tuple[str, ...]:
        """Classes that were looked for, in the order of the boxes' numbers."""
        return self.split.train.names

    @property
    def settled(self) -> tuple[str, ...]:
        """Classes of which nothing is hidden: labelled wherever they are, or certainly absent."""
        return (*self.labelled, *(n for n in self.about.absent if n not in self.labelled))


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data-set folder in memory. `parts[i]` is the part of `table.pictures[i]`, "" for none."""

    folder: Path
    about: About
    table: Table
    parts: tuple[str, ...]

    def split(self) -> Split:
        """The table in its parts.

        Raises:
            DatasetError: the folder has not been split, or pictures came in after the split.
        """
        if without := sum(not part for part in self.parts):
            raise DatasetError(
                f"{self.folder}: {without} of {len(self.parts)} pictures belong to no part;"
                " run `xiaozheng datasets split` first",
                message_zh=f"{self.folder}：{without} 张图片尚未划分，"
                f"请先运行 xiaozheng datasets split {self.folder}",
            )
        return Split(**{part: self.part(part) for part in PARTS})

    def by_source(self) -> tuple[LabelledSet, ...]:
        """The sources, each with its own parts and classes.

        Raises:
            DatasetError: as `split`; a source labels a class that the set does not have.
        """
        whole = self.split()
        found = []
        for source in dict.fromkeys(p.source for p in self.table.pictures):
            names = self.labelled_in([source])
            kept = {n: n for n in names}
            parts = {
                part: relabel(
                    table.select(p for p in table.pictures if p.source == source), kept, names
                )
                for part, table in ((n, getattr(whole, n)) for n in PARTS)
            }
            name = source or self.about.source or self.folder.name
            found.append(LabelledSet(name, self.about, Split(**parts)))
        return tuple(found)

    def labelled_in(self, sources: Iterable[str]) -> tuple[str, ...]:
        """Classes that every one of these sources labels, in the set's order."""
        looked_for = [set(self.about.labelled.get(s, self.table.names)) for s in sources]
        return tuple(n for n in self.table.names if all(n in names for names in looked_for))

    def part(self, name: str) -> Table:
        """The pictures of one part; "" gives those that belong to none."""
        pairs = zip(self.table.pictures, self.parts, strict=True)
        return self.table.select(p for p, part in pairs if part == name)


def about(
    table: Table,
    created: datetime,
    source: str = "",
    licence: str = "",
    labelled: Mapping[str, Sequence[str]] | None = None,
) -> About:
    """A description of a table, with the Chinese names we know."""
    names = tuple(ClassName(name=n, zh=LABELS_ZH.get(n, "")) for n in table.names)
    looked_for = {key: tuple(value) for key, value in (labelled or {}).items()}
    return About(names=names, source=source, licence=licence, created=created, labelled=looked_for)


def read_dataset(folder: Path) -> Dataset:
    """Read a folder strictly.

    Raises:
        DatasetError: anything wrong; lists every problem as `file:line: reason`.
        ConfigError: `dataset.yaml` is missing or wrong.
    """
    dataset, problems = scan_dataset(folder)
    if problems:
        raise complain(problems)
    return dataset


def scan_dataset(folder: Path) -> tuple[Dataset, tuple[Problem, ...]]:
    """Read what can be read and list the rest. Pictures are not decoded (see `check_pictures`).

    Raises:
        DatasetError: the folder or its list is missing.
        ConfigError: `dataset.yaml` is missing or wrong.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder", message_zh=f"没有此目录：{folder}")
    facts = load_yaml(folder / ABOUT_FILE, About)
    names = tuple(n.name for n in facts.names)
    if doubled := [n for n, count in Counter(names).items() if count > 1]:
        raise DatasetError(
            f"{folder / ABOUT_FILE}: class {doubled[0]!r} twice",
            message_zh=f"{folder / ABOUT_FILE}：类别 {doubled[0]} 重复",
        )
    pictures: list[Picture] = []
    parts: list[str] = []
    problems: list[Problem] = []
    listed: set[str] = set()
    for line, row in _rows(folder / LIST_FILE):
        found = _entry(folder, line, row, listed, len(names))
        if isinstance(found, list):
            problems += found
        else:
            pictures.append(found)
            parts.append(row["part"])
        listed.add(row["file"])
    problems += _strays(folder, listed)
    return Dataset(folder, facts, Table(names, tuple(pictures)), tuple(parts)), tuple(problems)


def write_dataset(
    folder: Path,
    table: Table,
    facts: About,
    parts: Sequence[str] | None = None,
    *,
    over: bool = False,
    papers: Mapping[str, str] | None = None,
    tick: Tick = no_tick,
) -> Dataset:
    """Write a table as a new folder; pictures are hard links where possible, else copies.

    Args:
        parts: part of every picture; None: not split.
        over: replace the folder if it is there (its pictures may be those of the table); files
            of others in it are taken along.
        papers: further text files by name.
        tick: called after every picture.

    Raises:
        DatasetError: the folder exists (without `over`) or cannot be written; nothing
            half-written stays behind.
    """
    if folder.exists() and not over:
        raise DatasetError(f"{folder}: exists already", message_zh=f"目录已存在：{folder}")
    assigned = tuple(parts) if parts is not None else ("",) * len(table)
    files = file_names(table.pictures)
    with drafted(folder) as draft:
        (draft / "images").mkdir()
        (draft / "labels").mkdir()
        for item, file in zip(table.pictures, files, strict=True):
            link_or_copy(item.path, draft / "images" / file)
            label = draft / "labels" / f"{Path(file).stem}.txt"
            label.write_text(label_text(item), encoding="utf-8")
            tick()
        for paper in folder.iterdir() if folder.is_dir() else ():
            if paper.is_file() and paper.name not in (ABOUT_FILE, LIST_FILE):
                link_or_copy(paper, draft / paper.name)
        for name, text in (papers or {}).items():
            (draft / name).unlink(missing_ok=True)
            (draft / name).write_text(text, encoding="utf-8")
        (draft / ABOUT_FILE).write_text(_about_text(facts), encoding="utf-8")
        _write_list(draft / LIST_FILE, table.pictures, files, assigned)
    pairs = zip(table.pictures, files, strict=True)
    moved = table.select(replace(p, path=folder / "images" / file) for p, file in pairs)
    return Dataset(folder, facts, moved, assigned)


def write_parts(dataset: Dataset, table: Table, parts: Sequence[str]) -> Dataset:
    """Rewrite the list only: groups of `table` (the same pictures) and new parts.

    Raises:
        DatasetError: the list cannot be written; the old one then stays.
    """
    target = dataset.folder / LIST_FILE
    draft = target.with_name(f".{LIST_FILE}.{os.getpid()}")
    files = [p.path.name for p in table.pictures]
    try:
        _write_list(draft, table.pictures, files, tuple(parts))
        draft.replace(target)
    except OSError as error:
        raise disk_error(target, error) from None
    finally:
        draft.unlink(missing_ok=True)
    return Dataset(dataset.folder, dataset.about, table, tuple(parts))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path}: cannot be read: {error}", message_zh=f"无法读取图片清单：{path}"
        ) from None
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise DatasetError(
            f"{path}:1: expected the columns {','.join(COLUMNS)}",
            message_zh=f"{path}:1：表头应为 {','.join(COLUMNS)}",
        )
    for row in reader:
        yield reader.line_num, {key: row[key] or "" for key in COLUMNS}


def _entry(
    folder: Path, line: int, row: dict[str, str], listed: set[str], class_count: int
) -> Picture | list[Problem]:
    """One row of the list as a picture, or what is wrong with it."""
    listing = folder / LIST_FILE
    file = row["file"]
    if not file or Path(file).name != file:
        return [Problem(listing, line, f"not a file name: {file!r}")]
    if file in listed:
        return [Problem(listing, line, f"{file} is listed twice")]
    if row["part"] not in ("", *PARTS):
        return [Problem(listing, line, f"part {row['part']!r} is none of {', '.join(PARTS)}")]
    image = folder / "images" / file
    if not image.is_file():
        return [Problem(image, 0, "no such picture", "missing_picture")]
    label = folder / "labels" / f"{image.stem}.txt"
    if not label.is_file():
        return [Problem(label, 0, f"missing; {file} has no label file", "missing_labels")]
    rows, problems = parse_labels(label, class_count)
    return problems or picture(image, rows, row["source"], row["group"])


def _strays(folder: Path, listed: set[str]) -> list[Problem]:
    images = sorted(p for p in folder.glob("images/*") if p.suffix.lower() in IMAGE_SUFFIXES)
    stems = {Path(file).stem for file in listed} | {p.stem for p in images}
    lonely = sorted(p for p in folder.glob("labels/*.txt") if p.stem not in stems)
    return [
        *(
            Problem(p, 0, f"not in {LIST_FILE}", "unlisted_picture")
            for p in images
            if p.name not in listed
        ),
        *(Problem(p, 0, "no picture of this name", "missing_picture") for p in lonely),
    ]


def _about_text(facts: About) -> str:
    content = facts.model_dump(mode="json")
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def _write_list(
    path: Path, pictures: Sequence[Picture], files: Sequence[str], parts: Sequence[str]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for item, file, part in zip(pictures, files, parts, strict=True):
            writer.writerow((file, item.group, item.source, part))
