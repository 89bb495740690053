"""Secrets are named in settings files, never written there: `env:NAME` or `file:PATH`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from ...config.errors import InputError

MAX_SECRET_BYTES = 4_096


def _check(text: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+", text):
        raise ValueError("name the secret as env:NAME or file:PATH; it does not belong in here")
    return text


SecretRef = Annotated[str, AfterValidator(_check)]


def read_secret(ref: str) -> str:
    """The secret's text, without white space around it.

    Raises:
        InputError: the variable or file is not there, is empty or is too long.
    """
    kind, _, name = ref.partition(":")
    try:
        raw = os.environ[name].encode() if kind == "env" else _start_of(Path(name))
        text = raw.decode("utf-8").strip()
    except (KeyError, OSError, UnicodeDecodeError):
        raise _unusable(ref, "cannot be read", "无法读取") from None
    if not text or len(raw) > MAX_SECRET_BYTES:
        raise _unusable(ref, "is empty or too long", "为空或过长")
    return text


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_SECRET_BYTES + 1)


def _unusable(ref: str, why: str, why_zh: str) -> InputError:
    return InputError(f"secret {ref} {why}", message_zh=f"密钥 {ref} {why_zh}", code="bad_secret")
