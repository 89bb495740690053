"""multipart/form-data held in memory: names, types and bytes of the parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import RequestError, TooLargeError, UnsupportedMediaError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_BOUNDARY_BYTES = 256


@dataclass(slots=True)
class Part:
    """One part of a form."""

    name: str = ""
    content_type: str = ""
    data: bytearray = field(default_factory=bytearray)


def boundary_of(content_type: str) -> bytes:
    """The boundary named in a Content-Type header.

    Raises:
        UnsupportedMediaError: the body is not multipart/form-data.
        RequestError: it has no usable boundary.
    """
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        raise UnsupportedMediaError(
            f"multipart/form-data is wanted, got {content_type or 'no Content-Type'!r}",
            message_zh="请求须为 multipart/form-data",
        )
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise RequestError(
            "the Content-Type header names no usable boundary",
            message_zh="Content-Type 缺少有效的 boundary",
            code="bad_multipart",
        )
    return boundary


def parse_parts(body: bytes | bytearray, boundary: bytes, max_parts: int) -> list[Part]:
    """Split a form into its parts, in order.

    Raises:
        RequestError: broken or cut multipart syntax (the byte is named), or a part without a name.
        TooLargeError: more than `max_parts` parts.
    """
    reader = _Reader(max_parts)
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        parser.write(bytes(body))
        parser.finalize()
    except FormParserError as error:
        offset = getattr(error, "offset", -1)
        where = f" at byte {offset}" if offset >= 0 else ""
        raise RequestError(
            f"broken multipart form{where}: {error}",
            message_zh="multipart 表单格式错误",
            code="bad_multipart",
        ) from None
    if not reader.ended:
        raise RequestError(
            f"the multipart form is cut off after {len(body)} bytes: no closing boundary",
            message_zh=f"multipart 表单在 {len(body)} 字节后中断，缺少结束分隔符",
            code="bad_multipart",
        )
    return reader.parts


class _Reader:
    """Gathers what the parser reports."""

    def __init__(self, max_parts: int) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._max_parts = max_parts
        self._field = bytearray()
        self._value = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_part_data": self._part_data,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        if len(self.parts) == self._max_parts:
            raise TooLargeError(
                f"the form has more than {self._max_parts} parts",
                message_zh=f"表单超过 {self._max_parts} 个部分",
                code="too_many_items",
            )
        self.parts.append(Part())

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data += data[start:end]

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name = bytes(self._field).lower()
        value = bytes(self._value)
        self._field.clear()
        self._value.clear()
        if name == b"content-disposition":
            _, options = parse_options_header(value)
            self.parts[-1].name = options.get(b"name", b"").decode("utf-8", "replace")
        elif name == b"content-type":
            self.parts[-1].content_type = value.decode("latin-1")

    def _headers_finished(self) -> None:
        if not self.parts[-1].name:
            raise RequestError(
                f"part {len(self.parts) - 1} of the form has no name",
                message_zh=f"表单第 {len(self.parts) - 1} 部分没有名称",
                code="bad_multipart",
            )

    def _end(self) -> None:
        self.ended = True
