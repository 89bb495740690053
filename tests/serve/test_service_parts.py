"""Logs, metrics, problems and views."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest

from xiaozheng.config.errors import (
    BusyError,
    ConfigError,
    ExpiredError,
    ImageError,
    ModelError,
    XiaozhengError,
)
from xiaozheng.serve.batcher import BatchReport
from xiaozheng.serve.changes import StoredEvidence
from xiaozheng.serve.errors import NotFoundError, TooLargeError, WorkerDiedError
from xiaozheng.serve.logs import JsonLines
from xiaozheng.serve.metrics import Metrics
from xiaozheng.serve.problems import MAX_WORDS, item_error, printable, status_of
from xiaozheng.serve.records import IncidentRecord
from xiaozheng.serve.views import IncidentViews, boxes
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.incident import Incident, IncidentState
from xiaozheng.vision.kinds import load_kinds

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ImageError("x"), 400),
        (ConfigError("a.yaml", 3, "x"), 400),
        (TooLargeError("x"), 413),
        (NotFoundError("x"), 404),
        (BusyError("x", retry_after_s=1), 429),
        (ExpiredError("x"), 504),
        (WorkerDiedError("x"), 503),
        (ModelError("x"), 503),
        (XiaozhengError("x"), 500),
    ],
)
def test_every_error_of_the_tree_has_its_status(error: XiaozhengError, status: int) -> None:
    assert status_of(error) == status


def test_an_unforeseen_error_is_told_by_number_only(caplog: pytest.LogCaptureFixture) -> None:
    told = item_error(KeyError("password=hunter2"))
    assert told.code == "internal"
    assert "hunter2" not in told.model_dump_json()
    number = told.message.rpartition(" ")[2]
    assert number in told.message_zh
    assert number in caplog.text


def test_words_are_cut_and_can_always_be_sent() -> None:
    assert printable("路灯") == "路灯"
    assert len(printable("x" * 5_000)) == MAX_WORDS + 1
    assert printable("a\ud83db").encode() == b"a?b"


def test_log_lines_are_json_with_their_facts() -> None:
    record = logging.makeLogRecord(
        {"name": "n", "levelname": "INFO", "msg": "request %d", "args": (7,), "route": "/v1/x"}
    )
    entry = json.loads(JsonLines().format(record))
    assert (entry["message"], entry["level"], entry["route"]) == ("request 7", "info", "/v1/x")
    assert datetime.fromisoformat(entry["ts"]).tzinfo is not None
    try:
        raise ValueError("路灯")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "broken", "exc_info": (ValueError, error, None)})
    assert "ValueError: 路灯" in json.loads(JsonLines().format(record))["trace"]


def test_batches_are_measured() -> None:
    metrics = Metrics()
    observe = metrics.batch_observer("b")
    observe(BatchReport(size=3, wait_s=0.5, run_s=0.25))
    observe(BatchReport(size=5, wait_s=0.5, run_s=0.25))
    text = metrics.text().decode()
    assert 'xiaozheng_batch_size_sum{batcher="b"} 8.0' in text
    assert 'xiaozheng_batch_size_bucket{batcher="b",le="4.0"} 1.0' in text
    assert 'xiaozheng_stage_seconds_sum{stage="b"} 0.5' in text
    assert "_created" not in text


def test_two_services_in_one_process_do_not_share_metrics() -> None:
    first, second = Metrics(), Metrics()
    first.frames.labels("ok").inc()
    assert b'xiaozheng_frames_total{status="ok"}' not in second.text()


def test_boxes_are_rounded_and_named() -> None:
    found = Detections.of([(1.23, 2.0, 30.07, 40.0)], [0.87654], ["car"], ("car",), (640, 384))
    (box,) = boxes(found, {"car": "小汽车"})
    assert box.model_dump() == {
        "label": "car",
        "label_zh": "小汽车",
        "score": 0.877,
        "box": (1.2, 2.0, 30.1, 40.0),
        "track_id": None,
    }


def test_an_incident_of_a_removed_camera_is_shown_by_its_ids() -> None:
    incident = Incident(
        id="abc",
        kind="meteor",
        camera_id="gone",
        zone_id="roof",
        state=IncidentState.OPEN,
        onset_at=T0,
        opened_at=T0,
        last_seen_at=T0,
        ended_at=None,
        box=(0, 0, 1, 1),
        label="car",
        score=0.5,
        reasons=(),
        model="m@1",
        rule="r@1",
    )
    picture = StoredEvidence("abc", "at", T0, "0" * 64, 3, "abc/at.jpg")
    view = IncidentViews(load_kinds(), {}).record(IncidentRecord(incident, (picture,)))
    assert (view.kind_zh, view.camera_name, view.zone_name) == ("meteor", "gone", "roof")
    assert view.state_zh == "进行中"
    assert view.evidence[0].url == "/v1/incidents/abc/evidence/at"
    assert view.evidence[0].path == "evidence/abc/at.jpg"
    assert view.journal is None
