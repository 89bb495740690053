"""One settings object, from environment and options."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiaozheng.config.errors import InputError
from xiaozheng.serve.settings import Settings, is_loopback, read_settings


def test_defaults_listen_on_loopback_and_keep_state_in_var() -> None:
    settings = read_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8600)
    assert settings.database == "sqlite:///var/xiaozheng.db"
    assert settings.evidence_folder == Path("var/evidence")


def test_options_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIAOZHENG_PORT", "9000")
    monkeypatch.setenv("XIAOZHENG_MAX_FRAMES", "16")
    assert read_settings().port == 9000
    settings = read_settings(port=9100, host=None)
    assert (settings.port, settings.host, settings.max_frames) == (9100, "127.0.0.1", 16)


def test_postgresql_is_only_another_url() -> None:
    url = "postgresql+psycopg://user@db/xiaozheng"
    assert read_settings(db_url=url).database == url


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "cameras.example"])
def test_other_machines_need_keys_unless_that_is_waived(host: str) -> None:
    assert read_settings(host=host).keys_required
    assert not read_settings(host=host, allow_anonymous=True).keys_required
    assert not read_settings().keys_required
    assert read_settings(auth="required").keys_required


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"port": 70_000}, "port"),
        ({"backend": "abacus"}, "backend"),
        ({"max_frames": 0}, "max_frames"),
        ({"max_frames": 1000, "max_queue": 10}, "max_frames must not exceed max_queue"),
        ({"max_body_bytes": 2**40}, "max_body_bytes must not exceed"),
        ({"log_level": "loud"}, "log_level"),
        ({"auth": "none"}, "auth"),
        ({"auth": "required", "allow_anonymous": True}, "contradict"),
    ],
)
def test_refused_values_are_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_settings(**options)


def test_settings_do_not_change_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]
