"""One call's text, checked before anything else looks at it."""

from __future__ import annotations

from dataclasses import dataclass
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


def check_transcript(transcript: Transcript, *, max_chars: int = DEFAULT_MAX_CHARS) -> None:
    """Refuse what cannot be routed or stored.

    Text without a request (emoji, English, a joke) passes: the router answers it with the
    decision `human`.

    Raises:
        TranscriptError: `empty_text`, `text_too_long`, `bad_text` or `bad_id`.
    """
    if len(transcript.id) > MAX_ID_CHARS:
        raise TranscriptError(
            f"id: {len(transcript.id)} characters, the limit is {MAX_ID_CHARS}",
            message_zh=f"id 过长：{len(transcript.id)} 字，上限 {MAX_ID_CHARS} 字",
            code="bad_id",
        )
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
