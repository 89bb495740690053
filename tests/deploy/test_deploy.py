"""Files of `deploy/` against the real program, broker and tools; no container is run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import yaml

from xiaozheng.config.errors import InputError
from xiaozheng.serve.app import create_app
from xiaozheng.serve.delivery.config import load_delivery
from xiaozheng.serve.settings import Settings, read_settings
from xiaozheng.vision.cameras import load_cameras
from xiaozheng.vision.kinds import DEFAULT_KINDS, load_kinds

DEPLOY = Path(__file__).parents[2] / "deploy"
METRIC = re.compile(r"\bxiaozheng_[a-z_]+")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of every series that the service has, those with labels nobody has used yet too."""
    folder = tmp_path_factory.mktemp("metrics")
    delivery = folder / "delivery.yaml"
    delivery.write_text("mqtt: {host: 127.0.0.1, port: 9, tls: false}\n", encoding="utf-8")
    app = create_app(Settings(var=folder, detector="", router="", delivery=delivery))

    async def read() -> set[str]:
        async with app.router.lifespan_context(app):
            names: set[str] = set()
            for family in app.state.services.metrics.registry.collect():
                endings = {
                    "counter": ("_total",),
                    "histogram": ("_bucket", "_sum", "_count"),
                }.get(family.type, ("",))
                names |= {family.name + ending for ending in endings}
            return names

    return asyncio.run(read())


def test_the_dashboard_asks_only_for_what_the_service_exports(exported: set[str]) -> None:
    text = (DEPLOY / "grafana" / "dashboards" / "xiaozheng.json").read_text("utf-8")
    board = json.loads(text)
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    asked = {
        name for panel in panels for t in panel["targets"] for name in METRIC.findall(t["expr"])
    }
    assert asked
    assert asked <= exported
    # And nothing that is exported was forgotten.
    suffix = re.compile(r"_(bucket|sum|count)$")
    assert {suffix.sub("", name) for name in exported} - {
        suffix.sub("", name) for name in asked
    } <= {
        "xiaozheng_router",
        "xiaozheng_detector",
    }
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_alarms_ask_only_for_what_the_service_exports(exported: set[str]) -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))
    (group,) = rules["groups"]
    asked = {name for rule in group["rules"] for name in METRIC.findall(rule["expr"])}
    assert asked
    assert asked <= exported
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]


def test_compose_names_only_what_is_there_and_gives_nobody_more_than_needed() -> None:
    whole = compose()
    for name, service in whole["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {"mem_limit", "cpus", "pids_limit", "restart"} <= set(service), name
        assert set(service.get("secrets", ())) <= set(whole["secrets"]), name
        assert set(service.get("depends_on", ())) <= set(whole["services"]), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source[0] == "." else source in whole["volumes"]
        for key, value in service.get("environment", {}).items():
            assert "password" not in str(value).lower() or key.endswith("_FILE"), key
    ours = whole["services"]["xiaozheng"]
    assert ours["read_only"] is True
    assert (DEPLOY / ours["build"]["context"] / ours["build"]["dockerfile"]).is_file()
    fields = {f"XIAOZHENG_{name.upper()}" for name in Settings.model_fields}
    assert set(ours["environment"]) - {"XIAOZHENG_SECRETS_DIR"} <= fields
    assert all(port.startswith("127.0.0.1:") for port in ours["ports"])


def test_the_container_file_is_not_root_and_asks_for_readiness() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.M)
    assert "/readyz" in final.partition("HEALTHCHECK")[2]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.M)
    assert all((DEPLOY.parent / source).exists() for source in copied)
    assert "--require-hashes" in text


def test_example_settings_files_are_valid() -> None:
    cameras = load_cameras(DEPLOY / "config" / "cameras.yaml", load_kinds(DEFAULT_KINDS))
    assert cameras.cameras
    assert load_delivery(DEPLOY / "config" / "delivery.yaml").mqtt is not None


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    subprocess.run([sys.executable, DEPLOY / "make_secrets.py", folder], check=True)
    return folder


def test_secrets_are_random_kept_and_read_by_the_service(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secrets.stat().st_mode & 0o077 == 0
    wanted = {Path(entry["file"]).name for entry in compose()["secrets"].values()}
    assert {path.name for path in secrets.iterdir()} == wanted
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    subprocess.run([sys.executable, DEPLOY / "make_secrets.py", secrets], check=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    monkeypatch.setenv("XIAOZHENG_SECRETS_DIR", str(secrets))
    assert read_settings().database == before["xiaozheng_db_url"]
    assert before["postgres_password"] in before["xiaozheng_db_url"]
    # A refused setting is told without the secrets beside it.
    with pytest.raises(InputError) as caught:
        read_settings(port=-1)
    assert before["postgres_password"] not in str(caught.value)


@pytest.fixture
def broker(secrets: Path, tmp_path: Path) -> Iterator[int]:
    """Mosquitto with the shipped settings; only its paths and port are this test's."""
    program = shutil.which("mosquitto")
    if program is None:
        pytest.skip("needs mosquitto")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # The broker gives up root, and must still come to the files.
    for folder in (tmp_path, *tmp_path.parents[:3], secrets):
        if os.geteuid() == 0 and str(folder).count("/") > 1:
            folder.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    text = (DEPLOY / "config" / "mosquitto.conf").read_text("utf-8")
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("/run/secrets/", f"{secrets}/").replace("/mosquitto/data/", f"{data}/")
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(text, encoding="utf-8")
    process = subprocess.Popen([program, "-c", settings], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(("right", "wanted"), [(True, "Success"), (False, "Not authorized")])
def test_the_broker_lets_in_who_has_the_password(
    broker: int, secrets: Path, right: bool, wanted: str
) -> None:
    answers: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *said: answers.append(str(said[3]))
    password = (secrets / "mqtt_password").read_text() if right else "guess"
    client.username_pw_set("xiaozheng", password)
    client.connect("127.0.0.1", broker)
    deadline = datetime.now(UTC).timestamp() + 20
    while not answers and datetime.now(UTC).timestamp() < deadline:
        client.loop(0.1)
    client.disconnect()
    assert answers == [wanted]


def test_systemd_knows_every_line_of_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze")
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text("utf-8")
        # The program is not installed where the unit expects it.
        text = re.sub(r"/opt/xiaozheng/\.venv/bin/xiaozheng", "/bin/true", text)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = sorted(str(path) for path in tmp_path.iterdir())
    told = subprocess.run([program, "verify", *units], capture_output=True, text=True)
    ours = [line for line in told.stderr.splitlines() if "xiaozheng" in line]
    assert (told.returncode, ours) == (0, [])
