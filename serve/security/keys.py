"""API keys: random tokens of which only a digest is kept.

A token holds 256 random bits, so nobody can find it by trying, and the digest need not be slow:
Argon2 and its like protect passwords, which people choose from few. A fast digest, on the other
hand, can be computed for every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ...config.errors import InputError

SCOPES = {
    "frames:write": "提交视频帧",
    "transcripts:write": "提交来电文本",
    "transcripts:read": "读取来电与派单建议（已脱敏）",
    "transcripts:decide": "记录派单决定",
    "transcripts:originals": "读取来电原文",
    "incidents:read": "读取事件与模糊后的证据图",
    "evidence:originals": "读取未模糊的证据图",
    "events:read": "读取与订阅事件流",
    "cameras:read": "读取摄像机与健康状态",
    "cameras:write": "更改摄像机",
    "deliveries:admin": "查看接收方与死信，重投",
    "models:admin": "管理模型",
    "metrics:read": "读取指标",
    "admin": "全部权限",
}
TOKEN = re.compile(r"xz_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
# Compared with where there is no such key, so that both cases take the same time.
NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored. `rate_per_s` 0 means as many requests as it likes."""

    id: str
    name: str
    digest: str
    scopes: frozenset[str]
    rate_per_s: float
    burst: int
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    replaces: str | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None and now >= self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"

    def may(self, scope: str) -> bool:
        return "admin" in self.scopes or scope in self.scopes


def new_token() -> tuple[str, str]:
    """A fresh token and its id, which is no secret."""
    key_id = secrets.token_hex(6)
    return f"xz_{key_id}_{secrets.token_urlsafe(32)}", key_id


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def key_id_of(token: str) -> str | None:
    """The id in a token; None for what is none of ours."""
    found = TOKEN.fullmatch(token)
    return found[1] if found else None


def matches(key: Key | None, token: str) -> bool:
    """Whether the token is that of the key, in time that tells nothing."""
    stored = NO_DIGEST if key is None else key.digest
    return hmac.compare_digest(stored, digest_of(token)) and key is not None


def checked_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Raises InputError for one that does not exist, and for none at all."""
    wanted = frozenset(scopes)
    unknown = sorted(wanted - SCOPES.keys())
    if unknown or not wanted:
        what = f"no scope {unknown[0]!r}" if unknown else "a key needs a scope"
        raise InputError(
            f"{what}; there are {', '.join(SCOPES)}",
            message_zh=f"权限{unknown[0] if unknown else '未指定'}无效；可用：{'、'.join(SCOPES)}",
            code="bad_scope",
        )
    return wanted
