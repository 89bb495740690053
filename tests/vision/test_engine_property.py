"""Whatever happens to the stream on its way, the list of incidents stays the same."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_order import EYE, STEPS
from vision_support import KINDS, Step, new_engine

from xiaozheng.vision.engine import CameraEngine
from xiaozheng.vision.incident import Incident
from xiaozheng.vision.reorder import ReorderBuffer

REORDER_S = 4.0


@dataclass(frozen=True)
class Trouble:
    """Per frame: lost, how many frames later it arrives, how often again; where restarts fall."""

    lost: frozenset[int]
    delays: tuple[int, ...]
    again: tuple[tuple[int, int], ...]
    restarts: frozenset[int]


frames = st.integers(0, len(STEPS) - 1)
gaps = st.tuples(frames, st.integers(1, 60)).map(lambda g: range(g[0], g[0] + g[1]))
troubles = st.builds(
    Trouble,
    lost=st.lists(gaps, max_size=3).map(lambda gs: frozenset(k for g in gs for k in g)),
    delays=st.lists(st.integers(0, 8), min_size=len(STEPS), max_size=len(STEPS)).map(tuple),
    again=st.lists(st.tuples(frames, st.integers(0, 80)), max_size=40).map(tuple),
    restarts=st.frozensets(st.integers(0, len(STEPS)), max_size=6),
)


def told(steps: list[Step], restarts: frozenset[int] = frozenset()) -> list[Incident]:
    """Every incident as last told of; before each position in `restarts` the process dies."""
    engine, incidents = new_engine(EYE), {}
    for position, (ts, seq, found) in enumerate(steps):
        if position in restarts:
            saved = json.loads(json.dumps(engine.snapshot()))
            engine = CameraEngine.restore(EYE, KINDS, saved, model_ref="test@1.0.0")
        for transition in engine.update(ts, seq, found).transitions:
            incidents[transition.incident.id] = transition.incident
    for one in incidents.values():
        times = [t for t in (one.onset_at, one.opened_at, one.ended_at) if t is not None]
        assert times == sorted(times), one
    return list(incidents.values())


def arrivals(trouble: Trouble) -> list[Step]:
    """Frames that were not lost, in order of arrival, some of them again later."""
    queue = [(k + trouble.delays[k], k) for k in range(len(STEPS)) if k not in trouble.lost]
    queue += [(k + trouble.delays[k] + after, k) for k, after in trouble.again]
    return [STEPS[k] for _, k in sorted(queue) if k not in trouble.lost]


@settings(max_examples=30, deadline=None)
@given(trouble=troubles)
def test_late_repeated_frames_and_restarts_change_nothing(trouble: Trouble) -> None:
    """The clean run is that of the frames that came in time; all others are as if never sent."""
    mixed = arrivals(trouble)
    clean: list[Step] = []
    for step in mixed:
        if not clean or step[0] > clean[-1][0]:
            clean.append(step)
    assert told(mixed, trouble.restarts) == told(clean)


@settings(max_examples=30, deadline=None)
@given(trouble=troubles)
def test_with_a_reorder_buffer_no_order_of_arrival_changes_anything(trouble: Trouble) -> None:
    """Frames up to 4 s late, in any order, with repetitions: as if they had come in order."""
    buffer: ReorderBuffer[Step] = ReorderBuffer(REORDER_S)
    ordered = [out for step in arrivals(trouble) for out in buffer.push(step[0], step)]
    ordered += buffer.flush()
    clean = [step for k, step in enumerate(STEPS) if k not in trouble.lost]
    assert told(ordered, trouble.restarts) == told(clean)
