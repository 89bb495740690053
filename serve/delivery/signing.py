"""Signatures of Standard Webhooks (standardwebhooks.com, symmetric `v1`): HMAC-SHA256 over
`id.timestamp.body`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from ...config.errors import InputError

PREFIX = "whsec_"
MIN_BYTES = 24


def secret_bytes(text: str) -> bytes:
    """The key that a secret stands for: base64 after `whsec_`, or the text itself.

    Raises:
        InputError: not base64, or shorter than 24 bytes.
    """
    try:
        key = (
            base64.b64decode(text.removeprefix(PREFIX), validate=True)
            if text.startswith(PREFIX)
            else text.encode()
        )
    except binascii.Error:
        key = b""
    if len(key) < MIN_BYTES:
        raise InputError(
            f"a webhook secret needs at least {MIN_BYTES} bytes, written as they are or as "
            f"{PREFIX}<base64>",
            message_zh=f"webhook 密钥至少 {MIN_BYTES} 字节，可写原文或 {PREFIX}<base64>",
            code="bad_secret",
        )
    return key


def signed_headers(
    event_id: str, timestamp_s: int, body: bytes, keys: Sequence[bytes]
) -> dict[str, str]:
    """The three headers; one signature for each key, apart by spaces."""
    content = f"{event_id}.{timestamp_s}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)) for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{signature.decode()}" for signature in signatures),
    }
