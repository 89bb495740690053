"""Whether the demo found what its truth file says, and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ..datasets.suite import Suite, TrueEvent

ONSET_TOLERANCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Match:
    """One true event and what was reported for it."""

    clip: str
    kind: str
    zone: str
    true_onset_s: float
    found_onset_s: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`matches` has one entry per true event; `extra` are reports that no true event explains."""

    matches: tuple[Match, ...]
    extra: tuple[str, ...]

    @property
    def missed(self) -> tuple[Match, ...]:
        return tuple(m for m in self.matches if m.found_onset_s is None)

    @property
    def good(self) -> bool:
        return not self.missed and not self.extra

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "good": self.good,
            "matches": [asdict(m) for m in self.matches],
            "extra": list(self.extra),
        }


def judge(suite: Suite, incidents: list[dict[str, Any]], *, start: datetime) -> Verdict:
    """Compare incidents (API form) with the suite; `start` is the clips' first media time."""
    matches: list[Match] = []
    left = list(incidents)
    for clip in suite.clips:
        for event in clip.truth:
            found = _nearest(left, str(clip.camera["id"]), event, start)
            if found is not None:
                left.remove(found)
            matches.append(
                Match(
                    clip=clip.file,
                    kind=event.kind,
                    zone=event.zone,
                    true_onset_s=event.start_s,
                    found_onset_s=None if found is None else _onset_s(found, start),
                )
            )
    extra = tuple(f"{i['kind']} {i['camera_id']}/{i['zone_id']} {i['onset_at']}" for i in left)
    return Verdict(matches=tuple(matches), extra=extra)


def _onset_s(incident: dict[str, Any], start: datetime) -> float:
    onset = datetime.fromisoformat(incident["onset_at"])
    return (onset - start) / timedelta(seconds=1)


def _nearest(
    incidents: list[dict[str, Any]], camera_id: str, event: TrueEvent, start: datetime
) -> dict[str, Any] | None:
    fitting = [
        i
        for i in incidents
        if (i["camera_id"], i["zone_id"], i["kind"]) == (camera_id, event.zone, event.kind)
        and abs(_onset_s(i, start) - event.start_s) <= ONSET_TOLERANCE_S
    ]
    return min(fitting, key=lambda i: abs(_onset_s(i, start) - event.start_s), default=None)
