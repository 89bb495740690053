"""XML label files as a small tree with line numbers; entities and document types are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ..config.errors import DatasetError

MAX_BYTES = 512 * 1024 * 1024
MAX_DEPTH = 40


@dataclass(slots=True)
class Element:
    """One element; `text` is what stands directly inside it."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def every(self, tag: str) -> Iterator[Element]:
        """Direct children of one name."""
        return (c for c in self.children if c.tag == tag)

    def first(self, *path: str) -> Element | None:
        """The first element down a path of names."""
        here: Element | None = self
        for tag in path:
            here = next(here.every(tag), None) if here else None
        return here

    def told(self, *path: str) -> str:
        """Text of the first element down a path; empty when there is none."""
        found = self.first(*path)
        return found.text.strip() if found else ""


def parse_xml(path: Path) -> Element:
    """The root element.

    Raises:
        DatasetError: unreadable, not well-formed (with the line), or holding a document type,
            which is how entity bombs and outside files come in.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _error(path, 0, f"larger than {MAX_BYTES} bytes", "文件过大")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise _error(path, 0, f"cannot be read: {reason}", f"无法读取（{reason}）") from None
    builder = _Builder(path)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        told = expat.ErrorString(error.code)
        raise _error(path, error.lineno, f"broken XML: {told}", f"XML 格式错误：{told}") from None
    except (LookupError, ValueError) as error:  # an encoding expat does not know
        raise _error(path, 1, f"broken XML: {error}", f"XML 编码不支持：{error}") from None
    return builder.top.children[0]


class _Builder:
    def __init__(self, path: Path) -> None:
        self.top = Element("", {}, 0)
        self._open = [self.top]
        self._path = path
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise _error(
            self._path, line, "document types and entities are refused", "不允许 DOCTYPE 与实体"
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if len(self._open) > MAX_DEPTH:
            raise _error(self._path, line, f"nested deeper than {MAX_DEPTH}", "嵌套过深")
        element = Element(tag, attributes, line)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text


def _error(path: Path, line: int, message: str, message_zh: str) -> DatasetError:
    where = f"{path}:{line}" if line else str(path)
    return DatasetError(f"{where}: {message}", message_zh=f"{where}：{message_zh}")
