#!/usr/bin/env python3
"""Makes deploy/secrets/ for compose.yaml: random passwords, and Mosquitto's file of hashes.

Needs nothing but Python. What is there already is left alone; passwords are not printed. The folder
is its owner's only; the files in it are readable to all, since each container reads its own as
another user.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys
from pathlib import Path

USER = "xiaozheng"
SALT_BYTES, ROUNDS = 12, 20_000


def main(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = kept(folder / "postgres_password", secrets.token_urlsafe(24))
    broker = kept(folder / "mqtt_password", secrets.token_urlsafe(24))
    kept(folder / "xiaozheng_db_url", f"postgresql+psycopg://{USER}:{database}@postgres/{USER}")
    kept(folder / "mosquitto_passwords", f"{USER}:{hashed(broker)}\n")


def kept(path: Path, text: str) -> str:
    """The file's text; made with `text` where it is not there."""
    if not path.exists():
        path.write_text(text, encoding="ascii")
        os.chmod(path, 0o644)
        sys.stderr.write(f"{path}\n")
    return path.read_text(encoding="ascii")


def hashed(password: str) -> str:
    """PBKDF2-SHA512 as mosquitto_passwd(1) writes it."""
    salt = os.urandom(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "secrets")
