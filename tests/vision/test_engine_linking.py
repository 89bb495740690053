"""One real event seen by two rules or by two cameras, and frames put back in order."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from vision_support import (
    START,
    Actor,
    PixelBox,
    camera,
    new_engine,
    opened,
    parking,
    scene,
    standing,
    zone,
)

from xiaozheng.vision.cameras import Camera
from xiaozheng.vision.incident import Incident
from xiaozheng.vision.linking import Link, links
from xiaozheng.vision.reorder import ReorderBuffer

TRICYCLE: PixelBox = (500, 350, 700, 480)


def eye(name: str, place: str | None = "crossing") -> Camera:
    return Camera(id=name, zones=(zone(dwell_s=30, place=place),))


def seen_by(camera_: Camera, *stops: tuple[PixelBox, float, float]) -> list[Incident]:
    actors = [Actor(parking(box, begin, end), ("car",), jitter=1) for box, begin, end in stops]
    return opened(scene(actors, 400, 1), new_engine(camera_))


LEFT, RIGHT, OTHER = eye("left"), eye("right"), eye("other", place="elsewhere")
CAMERAS = {c.id: c for c in (LEFT, RIGHT, OTHER)}


def test_two_rules_at_one_place_are_linked() -> None:
    actors = [
        Actor(standing(TRICYCLE, 10), ("truck",), jitter=1),
        Actor(standing(TRICYCLE, 14), ("stall",), jitter=1),
        Actor(standing((690, 330, 730, 480), 14), ("person",), jitter=1),
        Actor(standing((100, 400, 280, 500), 10), ("car",), jitter=1),
    ]
    found = opened(scene(actors, 200, 1, hides=False), new_engine(camera(zone(dwell_s=60))))
    assert sorted(i.kind for i in found) == ["illegal_parking", "illegal_parking", "street_vending"]
    (link,) = links(found, {})
    kinds = {i.id: i.kind for i in found}
    assert [kinds[i] for i in link.ids] == ["illegal_parking", "street_vending"]
    assert link.reasons == ("同一摄像机、同一位置、不同类型",)


def test_each_car_at_a_shared_place_is_linked_to_itself() -> None:
    """Two cars come 20 s apart; each camera sees them at its own place, a little later or not."""
    mine = seen_by(LEFT, ((100, 400, 280, 500), 20, 200), ((500, 400, 680, 500), 40, 300))
    theirs = seen_by(RIGHT, ((700, 300, 820, 380), 23, 203), ((900, 300, 1020, 380), 42, 302))
    elsewhere = seen_by(OTHER, ((100, 400, 280, 500), 20, 200))
    found = [*mine, *theirs, *elsewhere]
    expected = tuple(
        Link((a.id, b.id), ("不同摄像机拍摄的同一地点、同一类型",))
        for a, b in zip(mine, theirs, strict=True)
    )
    for order in list(permutations(found))[::17]:
        assert links(order, CAMERAS) == expected


def test_what_comes_later_or_at_no_shared_place_is_not_linked() -> None:
    first = seen_by(LEFT, (TRICYCLE, 20, 120))
    assert links([*first, *seen_by(RIGHT, (TRICYCLE, 110, 300))], CAMERAS) == ()
    assert links([*first, *seen_by(OTHER, (TRICYCLE, 20, 120))], CAMERAS) == ()
    assert links([*first, *seen_by(eye("no", None), (TRICYCLE, 20, 120))], CAMERAS) == ()


@settings(max_examples=60, deadline=None)
@given(delays=st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_items_leave_once_and_in_order_if_not_too_late(delays: list[int]) -> None:
    """One item a decisecond, each delayed by up to 4 s of the 4 s allowed."""
    buffer: ReorderBuffer[int] = ReorderBuffer(4.0)
    arrivals = sorted(range(len(delays)), key=lambda k: (k + delays[k], k))
    out: list[int] = []
    for k in arrivals:
        out += buffer.push(START + timedelta(seconds=k / 10), k)
        assert out == sorted(out)
    assert len(out) + len(buffer) == len(delays)
    assert [*out, *buffer.flush()] == list(range(len(delays)))


def test_what_comes_too_late_leaves_at_once_behind_its_successors() -> None:
    buffer: ReorderBuffer[str] = ReorderBuffer(2.0)
    at = [START + timedelta(seconds=s) for s in range(6)]
    assert buffer.push(at[3], "c") == []
    assert buffer.push(at[5], "e") == ["c"]
    assert buffer.push(at[1], "a") == ["a"]
    assert ReorderBuffer[str](0.0).push(at[0], "now") == ["now"]
