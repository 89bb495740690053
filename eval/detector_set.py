"""The labelled pictures that a detector is measured on, in the model's own class names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..config.errors import DatasetError
from ..config.yamlfile import load_yaml
from ..datasets.aliases import canonical
from ..datasets.folder import scan_dataset
from ..datasets.problems import Problem
from ..datasets.table import Picture, Row, Table, picture, relabel
from ..datasets.yolo import CLASSES_FILE, IMAGE_SUFFIXES, parse_labels, read_names

YAML_SUFFIXES = (".yaml", ".yml")
ALL_PARTS = "all"


class _Names(BaseModel):
    """The part of an Ultralytics `data.yaml` that matters here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    names: list[str] | dict[int, str]


@dataclass(frozen=True, slots=True)
class TestSet:
    """What is judged and what is not.

    Attributes:
        title: where the pictures come from.
        table: pictures whose labels could be read; its names are the classes that are judged.
        unknown: classes of the set that the model does not have, with their count of boxes.
        unlabelled: classes of the model that the set says nothing about; they are not judged.
        absent: judged classes that the set does not label, yet that surely are in no picture.
        renamed: classes of the set whose name differs from the label they stand for.
        problems: files that were left out, and why.
    """

    __test__ = False

    title: str
    table: Table
    unknown: dict[str, int]
    unlabelled: tuple[str, ...]
    absent: tuple[str, ...]
    renamed: dict[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to judge a set.

    Attributes:
        aliases: class name → label, before the common table; to "" leaves the class out.
        absent: labels of the model that are known to be in no picture: each such box is false.
        limit: take this many pictures, evenly spread; 0 takes all.
    """

    aliases: Mapping[str, str]
    absent: Sequence[str] = ()
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures and labels under the set's own class names.

    Attributes:
        title: where they come from.
        table: pictures whose labels could be read.
        problems: files that were left out, and why.
        absent: labels that are known to be in no picture.
    """

    title: str
    table: Table
    problems: tuple[Problem, ...]
    absent: tuple[str, ...] = ()


def read_part(folder: Path, part: str) -> Labelled:
    """One part of a data-set folder (see `xiaozheng datasets`); `ALL_PARTS` takes everything.

    Raises:
        DatasetError: the folder cannot be read, or the part has no picture.
        ConfigError: its `dataset.yaml` is missing or wrong.
    """
    dataset, problems = scan_dataset(folder)
    table = dataset.table if part == ALL_PARTS else dataset.part(part)
    if not table.pictures:
        raise DatasetError(
            f"{folder}: no picture in part {part!r}; run `xiaozheng datasets split` or take all",
            message_zh=f"{folder} 的分集 {part} 没有图片；请先运行 xiaozheng datasets split "
            f"{folder}，或用 --part {ALL_PARTS}",
        )
    names = dataset.labelled_in({p.source for p in table.pictures})
    if not names:
        raise DatasetError(
            f"{folder}: its sources have no labelled class in common; judge them one by one",
            message_zh=f"{folder} 的各来源没有共同标注的类别，请分开评测",
        )
    judged = relabel(table, {n: n for n in names}, names)
    return Labelled(f"{folder} · {part}", judged, problems, dataset.about.absent)


def read_folders(
    images: Path, labels: Path, classes: Path, missing_is_empty: bool = False
) -> Labelled:
    """YOLO labels of a folder of pictures; a picture whose labels are wrong is left out and named.

    Args:
        images: folder of pictures, sub-folders included.
        labels: folder of `.txt` files under the same relative names.
        classes: class names, one a line, or a YAML file with `names`.
        missing_is_empty: a picture without label file shows nothing, instead of being left out.

    Raises:
        DatasetError: a folder or the class list is missing or empty.
        ConfigError: the class list is not the YAML that was expected.
    """
    for folder in (images, labels):
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder", message_zh=f"缺少目录：{folder}")
    names = read_class_names(classes)
    table, problems = _scan(images, labels, names, missing_is_empty)
    return Labelled(str(images), table, problems)


def make_test_set(labelled: Labelled, model_labels: Sequence[str], wishes: Wishes) -> TestSet:
    """Labels in the model's class names.

    Raises:
        DatasetError: an alias or absent class names a label that the model does not have, or set
            and model share no class.
    """
    _check(wishes, model_labels)
    names = labelled.table.names
    mapping = _mapping(names, model_labels, wishes.aliases)
    known_absent = {label for label in labelled.absent if label in model_labels}
    shared = set(mapping.values()) | set(wishes.absent) | known_absent
    if not shared:
        raise DatasetError(
            f"{labelled.title}: none of the classes {', '.join(names)} is one of the model's",
            message_zh=f"{labelled.title} 的类别与模型的类别没有交集",
        )
    chosen = labelled.table.select(_spread(labelled.table.pictures, wishes.limit))
    counts = chosen.counts()
    judged = tuple(label for label in model_labels if label in shared)
    return TestSet(
        title=labelled.title,
        table=relabel(chosen, mapping, judged),
        unknown={name: counts[name] for name in names if name not in mapping},
        unlabelled=tuple(label for label in model_labels if label not in shared),
        absent=tuple(label for label in judged if label not in mapping.values()),
        renamed={name: label for name, label in mapping.items() if name != label},
        problems=labelled.problems,
    )


def read_class_names(path: Path) -> tuple[str, ...]:
    """Class names of a text file, one a line, or of an Ultralytics YAML file.

    Raises:
        DatasetError: missing, empty or with doubles.
        ConfigError: not the YAML that was expected.
    """
    if path.suffix.lower() not in YAML_SUFFIXES:
        return read_names(path)
    names = load_yaml(path, _Names).names
    listed = names if isinstance(names, list) else [names[i] for i in sorted(names)]
    if isinstance(names, dict) and sorted(names) != list(range(len(names))):
        raise DatasetError(
            f"{path}: the numbers of `names` must be 0 to {len(names) - 1}",
            message_zh=f"{path}：names 的编号必须从 0 连续到 {len(names) - 1}",
        )
    if doubled := [name for name, count in Counter(listed).items() if count > 1]:
        raise DatasetError(
            f"{path}: class {doubled[0]!r} twice", message_zh=f"{path}：类别 {doubled[0]} 重复"
        )
    return tuple(listed)


def _mapping(
    names: Sequence[str], model_labels: Sequence[str], aliases: Mapping[str, str]
) -> dict[str, str]:
    """Which class of the set means which of the model; those that mean none are left out."""
    found: dict[str, str] = {}
    for name in names:
        own = name if name in model_labels and name not in aliases else None
        label = own or canonical(name, aliases) or ""
        if label in model_labels:
            found[name] = label
    return found


def _check(wishes: Wishes, model_labels: Sequence[str]) -> None:
    wanted = [label for label in wishes.aliases.values() if label] + list(wishes.absent)
    if strange := [label for label in wanted if label not in model_labels]:
        raise DatasetError(
            f"the model has no class {strange[0]!r} (it has {', '.join(model_labels)})",
            message_zh=f"模型没有类别 {strange[0]}（现有：{'、'.join(model_labels)}）",
        )


def _scan(
    images: Path, labels: Path, names: tuple[str, ...], missing_is_empty: bool
) -> tuple[Table, tuple[Problem, ...]]:
    files = sorted(p for p in images.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DatasetError(f"{images}: holds no picture", message_zh=f"目录中没有图片：{images}")
    pictures: list[Picture] = []
    problems: list[Problem] = []
    for path in files:
        label = labels / path.relative_to(images).with_suffix(".txt")
        rows: list[Row] = []
        wrong: list[Problem] = []
        if label.is_file():
            rows, wrong = parse_labels(label, len(names))
        elif not missing_is_empty:
            wrong = [Problem(path, 0, "no label file", "missing_labels")]
        problems += wrong
        if not wrong:
            pictures.append(picture(path, rows))
    stems = {p.relative_to(images).with_suffix("") for p in files}
    problems += [
        Problem(path, 0, "no picture of this name", "missing_picture")
        for path in sorted(labels.rglob("*.txt"))
        if (name := path.relative_to(labels)).with_suffix("") not in stems
        and name != Path(CLASSES_FILE)
    ]
    return Table(names, tuple(pictures)), tuple(problems)


def _spread(pictures: Sequence[Picture], limit: int) -> Sequence[Picture]:
    """`limit` pictures, evenly spread over all, always the same ones."""
    if not 0 < limit < len(pictures):
        return pictures
    return [pictures[i * len(pictures) // limit] for i in range(limit)]
