"""One call's text, checked or made readable before anything else looks at it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..config.errors import TranscriptError

DEFAULT_MAX_CHARS = 20_000
MAX_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class Transcript:
    """来电文本: what was said in one call or written in one message.

    `text` is the caller's words, with or without speaker tags (`市民：…`); `title` is the
    clerk's or citizen's headline where one exists; `received_at` is aware UTC.
    """

    id: str
    text: str
    title: str = ""
    channel: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A transcript that can be read, and what had to be done to it.

    `notes` are Chinese sentences for the clerk; `cut` tells that the end of the text is missing.
    """

    transcript: Transcript
    notes: tuple[str, ...] = ()
    cut: bool = False


def admit(transcript: Transcript, *, max_chars: int = DEFAULT_MAX_CHARS) -> Admitted:
    """Whatever text was given, as text that can be read: repaired, and cut at `max_chars`.

    Raises:
        TranscriptError: `bad_id`, the one thing that no reading can mend.
    """
    _check_id(transcript)
    notes: list[str] = []
    text, title = (_repaired(value, notes) for value in (transcript.text, transcript.title))
    cut = max(len(text), len(title)) > max_chars
    for name, value in (("文本", text), ("标题", title)):
        if len(value) > max_chars:
            notes.append(f"{name}共 {len(value)} 字，只读了前 {max_chars} 字")
    kept = replace(transcript, text=text[:max_chars], title=title[:max_chars])
    return Admitted(kept, tuple(dict.fromkeys(notes)), cut)


_HALF_SURROGATE = re.compile("[\ud800-\udfff]")
_HAN = re.compile("[\u4e00-\u9fff]")
# At least so many characters of Latin 1 beyond ASCII, for a text to be misread Chinese.
_MISREAD_FROM = 4


def _repaired(text: str, notes: list[str]) -> str:
    """Without half surrogates, and read anew where UTF-8 or GB 18030 was read as Latin 1."""
    if _HALF_SURROGATE.search(text):
        notes.append("含无效的 Unicode 字符，已换成 \ufffd")
        text = _HALF_SURROGATE.sub("\ufffd", text)
    if sum("\x80" <= char <= "\xff" for char in text) < _MISREAD_FROM or _HAN.search(text):
        return text
    for encoding in ("utf-8", "gb18030"):
        try:
            found = text.encode("latin-1").decode(encoding)
        except UnicodeError:
            continue
        if len(_HAN.findall(found)) * 2 >= len(found):
            notes.append(f"原文按错误的编码读入，已按 {encoding.upper()} 还原")
            return found
    return text


AGENT, CALLER = "agent", "caller"
_TAGS = {AGENT: "坐席", CALLER: "市民"}


def turns_text(turns: Sequence[Mapping[str, str]]) -> str:
    """The text of a turn-structured call, `[{"speaker": "agent" | "caller", "text": …}]`, with
    speaker tags as `Transcript.text` may hold them.

    Raises:
        TranscriptError: `bad_turns`; the message names the turn.
    """
    lines: list[str] = []
    for at, turn in enumerate(turns):
        speaker, text = turn.get("speaker"), turn.get("text")
        if speaker not in _TAGS or not isinstance(text, str):
            raise TranscriptError(
                f"text[{at}]: a turn is {{speaker: agent or caller, text: …}}",
                message_zh=f"text 第 {at + 1} 轮：须为 speaker（agent 或 caller）和 text",
                code="bad_turns",
            )
        lines.append(f"{_TAGS[speaker]}：{text}")
    return "\n".join(lines)


def check_transcript(transcript: Transcript, *, max_chars: int = DEFAULT_MAX_CHARS) -> None:
    """Refuse what a strict door does not let in; the router itself reads anything (`admit`).

    Text without a request (emoji, English, a joke) passes: the router answers it with the
    decision `human`.

    Raises:
        TranscriptError: `empty_text`, `text_too_long`, `bad_text` or `bad_id`.
    """
    _check_id(transcript)
    if not transcript.text.strip():
        raise TranscriptError(
            "text: empty or blank", message_zh="text：来电文本为空", code="empty_text"
        )
    for field, value in (("text", transcript.text), ("title", transcript.title)):
        if len(value) > max_chars:
            raise TranscriptError(
                f"{field}: {len(value)} characters, the limit is {max_chars}",
                message_zh=f"{field}：共 {len(value)} 字，超过上限 {max_chars} 字",
                code="text_too_long",
            )
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise TranscriptError(
                f"{field}: holds half a surrogate pair, not valid Unicode text",
                message_zh=f"{field}：含无效的 Unicode 字符",
                code="bad_text",
            )


def _check_id(transcript: Transcript) -> None:
    if len(transcript.id) > MAX_ID_CHARS:
        raise TranscriptError(
            f"id: {len(transcript.id)} characters, the limit is {MAX_ID_CHARS}",
            message_zh=f"id 过长：{len(transcript.id)} 字，上限 {MAX_ID_CHARS} 字",
            code="bad_id",
        )
