"""Keys and the audit log in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from ...config.errors import InputError
from .keys import Key, checked_scopes, digest_of, new_token
from .tables import AuditRow, KeyRow

CLI = "cli"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did, or tried, what; `count` times in a short while."""

    at: datetime
    actor: str
    address: str
    action: str
    target: str
    outcome: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class SecurityChange:
    """When keys were last used, and what enters the audit log."""

    used: tuple[tuple[str, datetime], ...] = ()
    entries: tuple[AuditEntry, ...] = ()
    forget_before: datetime | None = None


def write_security(session: Session, change: SecurityChange) -> None:
    """Add it to the session's transaction."""
    for key_id, at in change.used:
        session.execute(update(KeyRow).where(KeyRow.id == key_id).values(last_used_at=at))
    session.add_all(map(_audit_row, change.entries))
    if change.forget_before is not None:
        session.query(AuditRow).where(AuditRow.at < change.forget_before).delete()


class KeyStore:
    """Blocking. What is done here is done by whoever may read and write the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Key]:
        """Every key ever made, oldest first."""
        with Session(self._engine) as session:
            rows = session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))
            return [_key(row) for row in rows]

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        now: datetime,
        expires_at: datetime | None = None,
        rate_per_s: float = 0,
        burst: int = 1,
    ) -> tuple[str, Key]:
        """A new key and its token, which can never be read again.

        Raises:
            InputError: a scope that does not exist, or a time that has passed.
        """
        if expires_at is not None and expires_at <= now:
            raise InputError("a key must expire later than now", message_zh="到期时间已过")
        token, key_id = new_token()
        key = Key(
            id=key_id,
            name=name,
            digest=digest_of(token),
            scopes=checked_scopes(scopes),
            rate_per_s=rate_per_s,
            burst=burst,
            created_at=now,
            expires_at=expires_at,
        )
        with Session(self._engine) as session, session.begin():
            session.add(_row(key))
            session.add(_audit_row(_done(now, "keys create", key.id)))
        return token, key

    def revoke(self, key_id: str, now: datetime) -> Key:
        """End a key at once. Raises InputError where there is no such key."""
        with Session(self._engine) as session, session.begin():
            row = _find(session, key_id)
            row.revoked_at = row.revoked_at or now
            session.add(_audit_row(_done(now, "keys revoke", key_id)))
            return _key(row)

    def rotate(self, key_id: str, overlap: timedelta, now: datetime) -> tuple[str, Key]:
        """A new key in the place of an old one, which goes on for a while.

        Raises:
            InputError: there is no such key, or it is over.
        """
        token, new_id = new_token()
        with Session(self._engine) as session, session.begin():
            row = _find(session, key_id)
            old = _key(row)
            if old.state(now) != "active":
                raise InputError(
                    f"key {key_id} is {old.state(now)}", message_zh=f"密钥 {key_id} 已失效"
                )
            end = now + overlap
            row.expires_at = end if old.expires_at is None else min(end, old.expires_at)
            lifetime = None if old.expires_at is None else old.expires_at - old.created_at
            new = replace(
                old,
                id=new_id,
                digest=digest_of(token),
                created_at=now,
                expires_at=None if lifetime is None else now + lifetime,
                replaces=key_id,
                last_used_at=None,
            )
            session.add(_row(new))
            session.add(_audit_row(_done(now, "keys rotate", key_id)))
        return token, new

    def audit(self, limit: int) -> list[AuditEntry]:
        """The newest entries of the audit log, newest first."""
        with Session(self._engine) as session:
            rows = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit))
            return [
                AuditEntry(
                    row.at, row.actor, row.address, row.action, row.target, row.outcome, row.count
                )
                for row in rows
            ]


def usable(keys: Sequence[Key], now: datetime) -> bool:
    """Whether there is a key that would be let in."""
    return any(key.state(now) == "active" for key in keys)


def _find(session: Session, key_id: str) -> KeyRow:
    row = session.get(KeyRow, key_id)
    if row is None:
        raise InputError(f"no key {key_id!r}", message_zh=f"没有这个密钥：{key_id}", code="no_key")
    return row


def _done(now: datetime, action: str, target: str) -> AuditEntry:
    return AuditEntry(now, CLI, "", action, target, "ok")


def _audit_row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        at=entry.at,
        actor=entry.actor,
        address=entry.address,
        action=entry.action,
        target=entry.target,
        outcome=entry.outcome,
        count=entry.count,
    )


def _row(key: Key) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        digest=key.digest,
        scopes=sorted(key.scopes),
        rate_per_s=key.rate_per_s,
        burst=key.burst,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        replaces=key.replaces,
        last_used_at=key.last_used_at,
    )


def _key(row: KeyRow) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        digest=row.digest,
        scopes=frozenset(row.scopes),
        rate_per_s=row.rate_per_s,
        burst=row.burst,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        replaces=row.replaces,
        last_used_at=row.last_used_at,
    )
