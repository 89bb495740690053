"""Tagged characters in CoNLL layout: one `character tag` a line, a blank line between texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import DatasetError

OUTSIDE = "O"
# What may come right after a tag of each scheme letter; "" is the end of the text.
_FOLLOWS = {"O": "OBS", "E": "OBS", "S": "OBS", "B": "IE", "I": "IE"}
_ENDS = "OES"


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text and one BIOES tag a character, for example `B-road`."""

    text: str
    tags: tuple[str, ...]


def read_conll(path: Path) -> list[TaggedText]:
    """Every text of the file.

    Raises:
        DatasetError: unreadable file, not UTF-8, a line that is not `character tag`, a broken
            sequence of tags, or no text at all; the message starts with `file:line`.
    """
    texts: list[TaggedText] = []
    chars: list[str] = []
    tags: list[str] = []
    for number, line in _lines(path):
        if not line.strip():
            _close(path, number, chars, tags, texts)
            continue
        char, _, tag = line.rpartition(" ")
        if len(char) != 1 or not _is_tag(tag):
            raise _error(path, number, f"{line!r}: expected one character, a space and a BIOES tag")
        _check_step(path, number, tags, tag)
        chars.append(char)
        tags.append(tag)
    _close(path, number + 1 if texts or chars else 0, chars, tags, texts)
    if not texts:
        raise DatasetError(f"{path}: no texts", message_zh=f"{path}：没有任何文本")
    return texts


def _close(
    path: Path, number: int, chars: list[str], tags: list[str], texts: list[TaggedText]
) -> None:
    if not chars:
        return
    if tags[-1][0] not in _ENDS:
        raise _error(path, number, f"the text ends inside a span ({tags[-1]})")
    texts.append(TaggedText("".join(chars), tuple(tags)))
    chars.clear()
    tags.clear()


def _is_tag(tag: str) -> bool:
    return tag == OUTSIDE or (len(tag) > 2 and tag[0] in "BIES" and tag[1] == "-")


def _check_step(path: Path, number: int, tags: list[str], tag: str) -> None:
    before = tags[-1] if tags else OUTSIDE
    inside = tag[0] in "IE"
    if tag[0] not in _FOLLOWS[before[0]] or (inside and tag[2:] != before[2:]):
        raise _error(path, number, f"{tag} cannot follow {before}")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(
            f"{path}: cannot be read: {reason}", message_zh=f"{path}：无法读取（{reason}）"
        ) from None
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: not valid UTF-8 at byte {error.start}",
            message_zh=f"{path}：不是有效的 UTF-8 文本",
        ) from None
    return iter(enumerate(text.split("\n"), start=1))


def _error(path: Path, line: int, message: str) -> DatasetError:
    return DatasetError(
        f"{path}:{line}: {message}", message_zh=f"{path}:{line}：标注有误，{message}"
    )
