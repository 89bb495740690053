"""The one-to-one protocol on cases made by hand, and what must hold for any."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.eval.events import ClipResult, EventScore, Report, TrueEvent, judge, score

KERB = "illegal_parking"
BIN = "bin_overflow"


def event(start_s: float, end_s: float, kind: str = KERB, zone: str = "z") -> TrueEvent:
    return TrueEvent(kind, zone, start_s, end_s)


def report(
    onset_s: float, end_s: float, kind: str = KERB, name: str = "", box: object = None
) -> Report:
    return Report(name or f"r{onset_s}-{end_s}", kind, "z", onset_s, onset_s + 5, end_s, box)  # type: ignore[arg-type]


def scored(truth: list[TrueEvent], reports: list[Report], hours: float = 24) -> EventScore:
    return score([ClipResult("clip", hours * 3600, tuple(truth), tuple(reports))])


@pytest.mark.parametrize(
    ("truth", "told", "hit"),
    [
        (event(100, 500), report(110, 120), True),  # onset 10 s late: within the tolerance
        (event(100, 500), report(110.1, 120), False),  # later, and hardly any overlap
        (event(100, 500), report(150, 500), True),  # late, yet 7/8 of it agrees
        (event(100, 500), report(301, 500), False),  # IoU just below a half
        (event(100, 500), report(100, 500, BIN), False),  # another kind
        (event(100, 500), report(0, 500), True),  # far too early, IoU 0.8
    ],
)
def test_a_hit_needs_the_kind_and_the_onset_or_the_interval(
    truth: TrueEvent, told: Report, hit: bool
) -> None:
    judgement = judge([truth], [told])
    assert (len(judgement.matches), len(judgement.missed), len(judgement.extra)) == (
        (1, 0, 0) if hit else (0, 1, 1)
    )


def test_pairs_are_chosen_for_most_hits_not_first_come() -> None:
    # The first report fits both events, the second only the first: greedy pairing would lose one.
    truth = [event(100, 200), event(108, 400)]
    told = [report(104, 300), report(93, 150)]
    judgement = judge(truth, told)
    assert {(m.event.start_s, m.report.onset_s) for m in judgement.matches} == {
        (100, 93),
        (108, 104),
    }


def test_figures_of_a_small_day() -> None:
    truth = [event(100, 500), event(1000, 2000), event(3000, 4000)]
    told = [
        report(103, 500),
        report(1004, 1500),
        report(1600, 2000),  # the same event again, in a second stretch
        report(7000, 7300),  # nothing there
    ]
    figures = scored(truth, told, hours=12).to_dict()
    assert figures["precision"] == pytest.approx(2 / 4)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["f1"] == pytest.approx(4 / 7)
    assert figures["onset_rmse_s"] == pytest.approx(((9 + 16) / 2) ** 0.5)
    assert figures["onset_error_median_s"] == pytest.approx(3.5)
    assert figures["onset_error_p95_s"] == pytest.approx(3.95)
    # Two in half a day: the exact Poisson interval.
    assert figures["false_alarms_per_camera_day_95"] == pytest.approx([0.4844, 14.449], abs=1e-3)
    assert figures["duplicates_per_event"] == pytest.approx(3 / 2)
    assert figures["fragmentation"] == pytest.approx(1 / 2)
    assert figures["false_alarms_per_camera_day"] == pytest.approx(4.0)
    assert figures["per_clip"]["clip"]["misses"] == 1
    assert figures["per_kind"][KERB]["hits"] == 2


def test_a_report_elsewhere_at_the_same_time_is_no_hit_where_places_are_known() -> None:
    here, there = (0.1, 0.1, 0.2, 0.2), (0.7, 0.7, 0.8, 0.8)
    truth = replace(event(100, 500), box=here)
    assert judge([truth], [report(100, 500, box=there)]).missed == (truth,)
    assert judge([truth], [report(100, 500, box=here)]).missed == ()


def test_what_people_would_judge_either_way_counts_for_nothing() -> None:
    doubtful = replace(event(100, 500), optional=True)
    sure = event(2000, 2500)
    for told in ([], [report(100, 500)], [report(100, 300), report(310, 500)]):
        figures = scored([doubtful, sure], [*told, report(2000, 2500)]).to_dict()
        assert (figures["f1"], figures["events"], figures["reports"]) == (1.0, 1, 1)


def test_clips_do_not_mix_and_their_names_must_differ() -> None:
    morning = ClipResult("a", 3600, (event(100, 500),), ())
    evening = ClipResult("b", 3600, (), (report(100, 500),))
    assert score([morning, evening]).overall.hits == 0
    with pytest.raises(ValueError, match="'a'"):
        score([morning, morning])


def test_nothing_true_and_nothing_told_defines_no_rate() -> None:
    figures = scored([], []).to_dict()
    assert (figures["precision"], figures["recall"], figures["f1"]) == (None, None, None)
    assert figures["false_alarms_per_camera_day"] == 0
    assert figures["interval_95"]["f1"] is None


spans = st.tuples(st.integers(0, 3000), st.integers(1, 900), st.sampled_from([KERB, BIN]))
events = st.lists(spans, max_size=8).map(
    lambda rows: [event(float(a), float(a + d), kind) for a, d, kind in rows]
)
reports = st.lists(spans, max_size=8).map(
    lambda rows: [report(float(a), float(a + d), k, f"r{i}") for i, (a, d, k) in enumerate(rows)]
)


@given(events, reports, st.randoms(use_true_random=False))
def test_the_order_of_events_and_reports_changes_nothing(
    truth: list[TrueEvent], told: list[Report], shuffle: random.Random
) -> None:
    before = scored(truth, told).to_dict()
    shuffle.shuffle(truth)
    shuffle.shuffle(told)
    after = scored(truth, told).to_dict()
    # Twins are interchangeable: which of them is matched is free, the figures are not.
    assert {k: after[k] for k in ("f1", "onset_rmse_s")} == pytest.approx(
        {k: before[k] for k in ("f1", "onset_rmse_s")}
    )


@given(events)
def test_telling_the_truth_is_perfect_and_saying_it_twice_is_not(truth: list[TrueEvent]) -> None:
    told = [report(e.start_s, e.end_s, e.kind, f"r{i}") for i, e in enumerate(truth)]
    perfect = scored(truth, told)
    assert perfect.overall.hits == len(truth)
    assert perfect.overall.figures()["f1"] == (1.0 if truth else None)
    assert perfect.overall.figures()["duplicates_per_event"] == (1.0 if truth else None)
    if truth:
        twice = scored(truth, [*told, replace(told[0], id="again")]).overall.figures()
        assert twice["precision"] < 1.0
        assert twice["duplicates_per_event"] > 1.0
        assert twice["recall"] == 1.0
