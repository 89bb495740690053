"""Originals of calls, sealed with AES-256-GCM; off unless the settings ask for it.

Whoever wants one is judged by `may_read` alone, and every question is journalled before it is
answered.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..config.errors import InputError
from .errors import ForbiddenError, UnavailableError
from .hotline_changes import Sealed

KEY_BYTES = 32
NONCE_BYTES = 12
MIN_REASON_CHARS = 4


@dataclass(frozen=True, slots=True)
class Original:
    """What a caller really said."""

    title: str
    text: str


class Vault:
    """Seals and opens originals with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.key_id = hashlib.sha256(key).hexdigest()[:16]

    @classmethod
    def open(cls, key: str, key_file: Path | None) -> Vault:
        """The vault of a key that is given as base64 of 32 bytes, in the environment or a file.

        Raises:
            InputError: no key, an unreadable file, or something else than 32 bytes.
        """
        text = key
        if not text and key_file is not None:
            try:
                text = key_file.read_text("ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise _bad_key(f"{key_file} cannot be read: {error}") from None
        if not text:
            raise _bad_key("originals are to be kept, but there is no key")
        try:
            raw = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            raise _bad_key("the key is not base64") from None
        if len(raw) != KEY_BYTES:
            raise _bad_key(f"the key has {len(raw)} bytes, {KEY_BYTES} are wanted")
        return cls(raw)

    def seal(self, transcript_id: str, original: Original) -> Sealed:
        """Encrypt; the call's id is bound in, so that rows cannot be exchanged."""
        nonce = os.urandom(NONCE_BYTES)
        plain = json.dumps([original.title, original.text]).encode()
        return Sealed(
            self.key_id, nonce + self._cipher.encrypt(nonce, plain, _bound(transcript_id))
        )

    def unseal(self, transcript_id: str, sealed: Sealed) -> Original:
        """Decrypt.

        Raises:
            UnavailableError: sealed with another key, or altered.
        """
        nonce, body = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, body, _bound(transcript_id))
        except InvalidTag:
            raise UnavailableError(
                f"the original was sealed with key {sealed.key_id} or was altered; this key is "
                f"{self.key_id}",
                message_zh=f"原文由密钥 {sealed.key_id} 加密或已被改动，当前密钥为 {self.key_id}",
                code="original_unreadable",
            ) from None
        title, text = json.loads(plain)
        return Original(title, text)


def may_read(by: str, reason: str) -> None:
    """The one place that says who may see an original.

    Raises:
        ForbiddenError: nobody is named, or there is no reason that deserves the name.
    """
    if not by.strip() or len(reason.strip()) < MIN_REASON_CHARS:
        raise ForbiddenError(
            f"an original is shown to a named person for a reason of {MIN_REASON_CHARS} or more "
            "characters",
            message_zh=f"查看原文须写明查看人和不少于 {MIN_REASON_CHARS} 个字的理由",
            code="no_reason",
        )


def _bound(transcript_id: str) -> bytes:
    return b"xiaozheng-call:" + transcript_id.encode()


def _bad_key(why: str) -> InputError:
    return InputError(
        f"originals: {why}; make one with `openssl rand -base64 32` and give it as "
        "XIAOZHENG_ORIGINALS_KEY or in the file XIAOZHENG_ORIGINALS_KEY_FILE",
        message_zh=f"原文加密密钥不可用：{why}",
        code="bad_settings",
    )
