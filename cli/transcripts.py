"""Reading transcripts for the command line: JSONL, plain lines, or standard input."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.errors import InputError, TranscriptError
from ..nlp.transcript import Transcript, admit, turns_text

MAX_LINE_BYTES = 4 * 1024 * 1024
STDIN = "-"


@dataclass(frozen=True, slots=True)
class InputRow:
    """One readable transcript and the department it was labelled with, if any."""

    transcript: Transcript
    department: str


def read_transcripts(source: str) -> tuple[list[InputRow], list[InputError]]:
    """All good rows, and one error for each bad line, each naming `file:line`.

    `.jsonl` and `.json` files hold an object a line (`text`, which may be a list of turns; optional
    `id`, `title`, `channel`, `department`); other files hold a transcript a line; standard input
    may hold either, told apart by the first line.

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
            rows.append(_row(raw, number, as_json=as_json))
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


def _row(raw: bytes, number: int, *, as_json: bool) -> InputRow:
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
        text=_text(data),
        title=_field(data, "title", default=""),
        channel=_field(data, "channel", default=""),
    )
    admit(transcript)  # refuses an id that is too long, here where the line is known
    return InputRow(transcript, _field(data, "department", default=""))


def _object(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {error}", message_zh=f"JSON 格式错误：{error}") from None
    if not isinstance(data, dict):
        raise InputError("not a JSON object", message_zh="不是 JSON 对象")
    return data


def _text(data: dict[str, Any]) -> str:
    turns = data.get("text")
    if not isinstance(turns, list):
        return _field(data, "text")
    if not all(isinstance(turn, dict) for turn in turns):
        raise TranscriptError("text: a turn is no object", message_zh="text：每一轮须为对象")
    return turns_text(turns)


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
