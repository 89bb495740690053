"""Time stamps as callers write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ..config.errors import InputError

RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})?")


def parse_moment(text: str, field: str) -> datetime:
    """An RFC 3339 time stamp as an aware datetime in UTC.

    Raises:
        InputError: code `bad_ts`; a time without offset is refused, since it means another moment
            in every time zone.
    """
    match = RFC3339.fullmatch(text)
    if match is None:
        raise _refused(field, f"{text[:40]!r} is not an RFC 3339 time stamp", "不是 RFC 3339 时间")
    if match.group(2) is None:
        raise _refused(
            field, f"{text!r} has no UTC offset (such as Z or +08:00)", "时间缺少时区偏移"
        )
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(field, f"{text!r}: {error}", "不是有效的时间") from None


def _refused(field: str, why: str, why_zh: str) -> InputError:
    return InputError(f"{field}: {why}", message_zh=f"{field}：{why_zh}", code="bad_ts")
