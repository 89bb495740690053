"""The form reader alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.config.errors import InputError
from xiaozheng.serve.errors import RequestError, TooLargeError, UnsupportedMediaError
from xiaozheng.serve.multipart import boundary_of, parse_parts

NAMES = st.text(
    st.characters(codec="ascii", exclude_characters='"\\\r\n', min_codepoint=32),
    min_size=1,
    max_size=20,
)


def form(parts: list[tuple[str, bytes]], boundary: bytes = b"b0undary") -> bytes:
    body = b""
    for name, data in parts:
        body += b"--" + boundary + b"\r\n"
        body += f'Content-Disposition: form-data; name="{name}"; filename="x"\r\n'.encode()
        body += b"Content-Type: image/jpeg\r\n\r\n" + data + b"\r\n"
    return body + b"--" + boundary + b"--\r\n"


def refusal(body: bytes | bytearray, boundary: bytes) -> str | None:
    """The words with which a form is refused; None when it is read."""
    try:
        parse_parts(body, boundary, 10)
    except InputError as error:
        return str(error) and error.message_zh
    return None


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=6))
def test_what_was_written_is_read(parts: list[tuple[str, bytes]]) -> None:
    found = parse_parts(
        form(parts, b"a-boundary-that-no-data-holds"), b"a-boundary-that-no-data-holds", 6
    )
    assert [(part.name, bytes(part.data)) for part in found] == parts
    assert {part.content_type for part in found} <= {"image/jpeg"}


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_with_words(body: bytes) -> None:
    assert refusal(body, b"b") != ""


@given(st.data())
def test_a_damaged_form_never_breaks_the_reader(data: st.DataObject) -> None:
    whole = bytearray(form([("metadata", b"[]"), ("f0", b"\xff\xd8" * 20)]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    assert refusal(whole, b"b0undary") != ""


def test_data_that_looks_like_the_boundary_stays_data() -> None:
    tricky = b"\r\n--b0undar\r\n--b0undarx--\r\n"
    (part,) = parse_parts(form([("a", tricky)]), b"b0undary", 1)
    assert bytes(part.data) == tricky


def test_more_parts_than_allowed_are_refused() -> None:
    body = form([("a", b"1"), ("b", b"2"), ("c", b"3")])
    with pytest.raises(TooLargeError, match="more than 2 parts"):
        parse_parts(body, b"b0undary", 2)


def test_a_form_without_its_end_is_refused() -> None:
    body = form([("a", b"1")])
    with pytest.raises(RequestError, match="cut off"):
        parse_parts(body[:-12], b"b0undary", 2)


def test_a_part_without_a_name_is_refused() -> None:
    body = b"--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--\r\n"
    with pytest.raises(RequestError, match="part 0 of the form has no name"):
        parse_parts(body, b"b", 2)


def test_names_may_be_chinese() -> None:
    (part,) = parse_parts(form([("一号", b"1")]), b"b0undary", 2)
    assert part.name == "一号"


@pytest.mark.parametrize("header", ["", "text/plain", "multipart/mixed; boundary=b", "garbage;;;="])
def test_other_media_types_are_refused(header: str) -> None:
    with pytest.raises(UnsupportedMediaError, match="multipart/form-data is wanted"):
        boundary_of(header)


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 300]
)
def test_a_boundary_is_wanted(header: str) -> None:
    with pytest.raises(RequestError, match="boundary"):
        boundary_of(header)
    assert boundary_of('Multipart/Form-Data; boundary="b c"') == b"b c"
