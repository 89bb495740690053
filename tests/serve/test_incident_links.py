"""Incidents of overlapping cameras, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import yaml
from serve_support import CAMERAS, entry, picture, post_frames, running

from xiaozheng.serve.settings import Settings


def test_incidents_of_two_cameras_at_one_place_are_linked_and_stay_so(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """A third camera sees the same kind at the same time elsewhere."""
    zone = CAMERAS["cameras"][0]["zones"][0]
    cameras = [
        {"id": name, "zones": [{**zone, "place": place}]}
        for name, place in (("north", "kerb-7"), ("south", "kerb-7"), ("other", "kerb-8"))
    ]
    settings = make_settings()
    assert settings.cameras is not None
    settings.cameras.write_text(yaml.safe_dump({"cameras": cameras}), encoding="utf-8")
    start = now - timedelta(seconds=200)
    with running(settings) as client:
        for begin in (0, 30):
            span = range(begin, begin + 30)
            for n, name in enumerate(("north", "south", "other")):
                entries = [entry(s, start + timedelta(seconds=s), name) for s in span]
                pictures = {
                    f"f{s}": picture(("car", n, 3)) if 3 + n <= s < 24 else picture() for s in span
                }
                assert post_frames(client, entries, pictures).status_code == 200
    with running(settings) as client:
        ids = {i["camera_id"]: i["id"] for i in client.get("/v1/incidents").json()["items"]}
        found = {n: client.get(f"/v1/incidents/{i}").json()["links"] for n, i in ids.items()}
    assert [link["incident_id"] for link in found["north"]] == [ids["south"]]
    assert [link["incident_id"] for link in found["south"]] == [ids["north"]]
    assert found["north"][0]["reasons"] == ["不同摄像机拍摄的同一地点、同一类型"]
    assert (found["north"][0]["camera_id"], found["north"][0]["state"]) == ("south", "ended")
    assert found["other"] == []
