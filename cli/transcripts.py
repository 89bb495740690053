"""Reading transcripts for the command line: JSONL, plain lines, or standard input."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.errors import InputError, TranscriptError
from ..nlp.transcript import Transcript, check_transcript

MAX_LINE_BYTES = 4 * 1024 * 1024
STDIN = "-"


@dataclass(frozen=True, slots=True)
class InputRow:
    """One readable transcript and the department it was labelled with, if any."""

    transcript: Transcript
    department: str


def read_transcripts(source: str, *, max_chars: int) -> tuple[list[InputRow], list[InputError]]:
    """All good rows, and one error for each bad line, each naming `file:line`.

    `.jsonl` and `.json` files hold an object a line (`text`, optional `id`, `title`, `channel`,
    `department`); other files hold a transcript a line; standard input may hold either, told
    apart by the first line.

    Raises:
        InputError: the source cannot be read or holds no transcript at all.
    """
    lines = _read(source).split(b"\n")
    shown = "stdin" if source == STDIN else source
    first = next((line.strip() for line in lines if line.strip()), b"")
    as_json = Path(source).suffix in (".jsonl", ".json") or (source == STDIN and first[:1] == b"{")
    rows: list[InputRow] = []
    errors: list[InputError] = []
    last = len(lines) - 1
    for number, raw in enumerate(lines, start=1):
        if not raw.strip() and (as_json or number - 1 == last):
            continue
        try:
            rows.append(_row(raw, number, as_json=as_json, max_chars=max_chars))
        except InputError as error:
            errors.append(
                InputError(
                    f"{shown}:{number}: {error}",
                    message_zh=f"{shown}:{number}：{error.message_zh}",
                    code=error.code,
                )
            )
    if not rows and not errors:
        raise InputError(f"{shown}: no transcript", message_zh=f"{shown}：没有来电文本")
    return rows, errors


def _read(source: str) -> bytes:
    if source == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{source}: cannot be read: {reason}", message_zh=f"{source}：无法读取（{reason}）"
        ) from None


def _row(raw: bytes, number: int, *, as_json: bool, max_chars: int) -> InputRow:
    if len(raw) > MAX_LINE_BYTES:
        raise InputError(
            f"line longer than {MAX_LINE_BYTES} bytes",
            message_zh=f"行过长，上限 {MAX_LINE_BYTES} 字节",
        )
    try:
        line = raw.decode("utf-8").lstrip("\ufeff").rstrip("\r")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not valid UTF-8 at byte {error.start} of the line",
            message_zh=f"不是有效的 UTF-8 文本（第 {error.start + 1} 字节）",
        ) from None
    data = _object(line) if as_json else {"text": line}
    transcript = Transcript(
        id=_field(data, "id", default=str(number)),
        text=_field(data, "text"),
        title=_field(data, "title", default=""),
        channel=_field(data, "channel", default=""),
    )
    check_transcript(transcript, max_chars=max_chars)
    return InputRow(transcript, _field(data, "department", default=""))


def _object(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {error}", message_zh=f"JSON 格式错误：{error}") from None
    if not isinstance(data, dict):
        raise InputError("not a JSON object", message_zh="不是 JSON 对象")
    return data


def _field(data: dict[str, Any], name: str, *, default: str | None = None) -> str:
    value = data.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool) and name == "id":
        value = str(value)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        problem = "missing" if value is None else f"must be text, not {type(value).__name__}"
        raise TranscriptError(f"{name}: {problem}", message_zh=f"{name}：缺少或不是文字")
    return value
