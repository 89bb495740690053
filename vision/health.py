"""Whether a camera shows what it should: silence, a frozen, dark, burnt-out or blurred picture,
a changed view.

Pure: pictures come as thumbnails with their media time, silence is judged by the wall-clock time
of arrival, and both are given in. While a picture cannot be trusted the camera's zones are
*suspended*: its frames do not reach the incident engine, to which that time is a gap, for which it
credits no dwell beyond its stated bound.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..config.errors import ImageError, InputError
from .cameras import Camera
from .health_picture import PictureFault, PictureJudge
from .health_signs import Grey, thumbnail
from .images import decode, probe

__all__ = ["HEALTH_ZH", "CameraHealth", "HealthIncident", "HealthOutcome", "thumbnail"]

HealthKind = Literal["camera_no_signal"] | PictureFault
HEALTH_ZH: dict[HealthKind, str] = {
    "camera_no_signal": "无信号",
    "camera_frozen": "画面冻结",
    "camera_black": "画面全黑",
    "camera_overexposed": "画面过曝",
    "camera_blurred": "画面模糊",
    "camera_moved": "画面偏移",
}

LOOK_EVERY_S = 1.0
QUIET_INTERVALS = 4.0
INTERVAL_WEIGHT = 0.1
MIN_SIGNS = 3
STILL_SOURCE_S = 600.0
SNAPSHOT_VERSION = 2
READABLE_VERSIONS = (1, 2)
DISTRUST: tuple[PictureFault, ...] = ("camera_black", "camera_overexposed", "camera_moved")


@dataclass(frozen=True, slots=True)
class HealthIncident:
    """One fault of one camera.

    Attributes:
        id: deterministic from camera, kind and beginning.
        began_at: first sign of it. Media time, but for `camera_no_signal`, whose times are
            wall-clock: since when nothing has arrived.
        noticed_at: when it had lasted long enough to be reported.
        ended_at: when all had been well again for a while; None while it lasts.
    """

    id: str
    camera_id: str
    kind: HealthKind
    began_at: datetime
    noticed_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HealthOutcome:
    """What one look or tick found.

    Attributes:
        changed: faults that it reported (`ended_at` is None) or ended.
        zones_suspended: a fault is in force, or this very picture is black, burnt out or out of
            place and that is checked: keep the frame from the engine.
    """

    changed: tuple[HealthIncident, ...]
    zones_suspended: bool


@dataclass(slots=True)
class FaultClock:
    """How long one kind of fault has shown, or has been gone, without a break."""

    ill_since: float | None = None
    well_since: float | None = None
    signs: int = 0

    def ill(self, began: float, t: float) -> float:
        """Count a sign at `t` of what began at `began`; seconds since the first of the run."""
        self.well_since = None
        if self.ill_since is None:
            self.ill_since, self.signs = began, 0
        self.signs += 1
        return t - self.ill_since

    def well(self, t: float) -> float:
        """Count a good sight at `t`; seconds since the first of the run."""
        self.ill_since, self.signs = None, 0
        if self.well_since is None:
            self.well_since = t
        return t - self.well_since


class CameraHealth:
    """The health of one camera. Not thread-safe: one caller at a time.

    Args:
        camera: gives the `health` settings; a learnt view is dropped when its zones are redrawn.
        reference: thumbnail of the view the zones were drawn on; see `read_reference`. The view
            is also learnt, from the first pictures that agree with each other.
    """

    def __init__(self, camera: Camera, reference: Grey | None = None) -> None:
        self.camera = camera
        self._judge = PictureJudge(reference)
        self._looked_t: float | None = None
        self._arrived_t: float | None = None
        self._interval_s: float | None = None
        self._distrusted = False
        self._clocks: dict[str, FaultClock] = {kind: FaultClock() for kind in HEALTH_ZH}
        self._faults: dict[str, HealthIncident] = {}

    @property
    def faults(self) -> tuple[HealthIncident, ...]:
        """Faults in force, in order of being reported."""
        return tuple(self._faults.values())

    @property
    def zones_suspended(self) -> bool:
        """Whether the last picture could not be trusted, or silence is reported."""
        return "camera_no_signal" in self._faults or self._suspended()

    def wants(self, ts: datetime) -> bool:
        """Whether a picture of this media time would be judged: later ones, one a second."""
        return self._looked_t is None or ts.timestamp() - self._looked_t >= LOOK_EVERY_S

    def tick(self, now: datetime) -> HealthOutcome:
        """Judge silence at wall-clock time `now`; call it every second or so, frames or none.

        A camera that has not sent anything yet counts as silent since the first tick.
        """
        t = now.timestamp()
        if self._arrived_t is None:
            self._arrived_t = t
        patience_s = self._patience_s("camera_no_signal")
        silent = False
        if patience_s is not None:
            usual_s = QUIET_INTERVALS * (self._interval_s or 0.0)
            silent = t - self._arrived_t >= max(patience_s, usual_s)
        changed: tuple[HealthIncident, ...] = ()
        if silent:
            self._clocks["camera_no_signal"] = FaultClock()
            if "camera_no_signal" not in self._faults:
                changed = self._begin("camera_no_signal", self._arrived_t, t)
        return HealthOutcome(changed, silent or self._suspended())

    def look(self, ts: datetime, thumb: Grey | None, now: datetime) -> HealthOutcome:
        """Take a frame that arrived at wall-clock time `now`.

        Args:
            ts: its media time, with time zone.
            thumb: from `thumbnail`; may be None where `wants(ts)` is False.
            now: when it arrived.
        """
        changed = self._arrive(now)
        if thumb is not None and self.wants(ts):
            t = ts.timestamp()
            signs = self._judge.judge(thumb, t, frozenset(self._faults))
            for kind, bad in signs.items():
                changed += self._count(kind, bad, t)
            self._distrusted = any(
                signs[kind] and self._patience_s(kind) is not None for kind in DISTRUST
            )
            self._looked_t = t
        return HealthOutcome(changed, self._suspended())

    def forget_view(self) -> HealthOutcome:
        """Learn the view anew, for a camera that was turned on purpose; it has not *moved*."""
        self._judge.forget()
        self._distrusted = False
        self._clocks["camera_moved"] = FaultClock()
        moved = "camera_moved" in self._faults and self._looked_t is not None
        changed = self._end("camera_moved", self._looked_t or 0.0) if moved else ()
        return HealthOutcome(changed, self.zones_suspended)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able data, about 25 KB; see `restore`.

        Times of arrival are left out: the time a process was down is not the camera's silence.
        """
        return {
            "version": SNAPSHOT_VERSION,
            "drawn": _drawn(self.camera),
            "looked_t": self._looked_t,
            "interval_s": self._interval_s,
            "distrusted": self._distrusted,
            "judge": self._judge.snapshot(),
            "clocks": {k: asdict(c) for k, c in self._clocks.items() if c != FaultClock()},
            "faults": [
                [f.id, f.kind, f.began_at.timestamp(), f.noticed_at.timestamp()]
                for f in self._faults.values()
            ],
        }

    @classmethod
    def restore(
        cls, camera: Camera, snapshot: Mapping[str, Any], reference: Grey | None = None
    ) -> CameraHealth:
        """Go on where `snapshot` was taken, with the same faults in force; those whose check has
        been turned off since are dropped. Snapshots of version 1 are read.

        Raises:
            InputError: `bad_snapshot`.
        """
        health = cls(camera, reference)
        try:
            if snapshot["version"] not in READABLE_VERSIONS:
                raise ValueError(f"version {snapshot['version']!r}")
            same = snapshot["drawn"] == _drawn(camera)
            health._judge.restore(snapshot["judge"], keep_view=same)
            health._looked_t = snapshot["looked_t"]
            health._interval_s = snapshot["interval_s"]
            health._distrusted = bool(snapshot.get("distrusted", False))
            for kind, clock in snapshot["clocks"].items():
                if health._patience_s(kind) is not None:
                    health._clocks[kind] = FaultClock(**clock)
            for fault_id, kind, began, noticed in snapshot["faults"]:
                fault = HealthIncident(fault_id, camera.id, kind, _utc(began), _utc(noticed))
                if health._patience_s(kind) is not None:
                    health._faults[kind] = fault
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"not a snapshot of a camera's health: {error!r}",
                message_zh="摄像机健康状态的快照无效",
                code="bad_snapshot",
            ) from error
        return health

    def _arrive(self, now: datetime) -> tuple[HealthIncident, ...]:
        t = now.timestamp()
        changed = self.tick(now).changed
        before = t if self._arrived_t is None else self._arrived_t
        if "camera_no_signal" in self._faults:
            if self._clocks["camera_no_signal"].well(t) >= self.camera.health.recover_s:
                changed += self._end("camera_no_signal", t)
        elif self._looked_t is not None:
            gap_s = max(0.0, t - before)
            usual_s = gap_s if self._interval_s is None else self._interval_s
            self._interval_s = round(usual_s + INTERVAL_WEIGHT * (gap_s - usual_s), 3)
        self._arrived_t = max(t, before)
        return changed

    def _count(self, kind: PictureFault, bad: bool | None, t: float) -> tuple[HealthIncident, ...]:
        patience_s = self._patience_s(kind)
        if bad is None or patience_s is None:
            return ()
        clock = self._clocks[kind]
        if not bad:
            over = clock.well(t) >= self.camera.health.recover_s and kind in self._faults
            return self._end(kind, t) if over else ()
        began = t
        if kind == "camera_frozen":
            # What stands still now was first seen with the picture before.
            began = t if self._looked_t is None else self._looked_t
            patience_s = patience_s if self._judge.lively else max(patience_s, STILL_SOURCE_S)
        lasted_s = clock.ill(began, t)
        ripe = lasted_s >= patience_s and clock.signs >= MIN_SIGNS and kind not in self._faults
        return self._begin(kind, t - lasted_s, t) if ripe else ()

    def _begin(self, kind: HealthKind, began: float, t: float) -> tuple[HealthIncident, ...]:
        text = f"{self.camera.id}|{kind}|{round(began * 1000)}"
        fault = HealthIncident(
            id=hashlib.sha256(text.encode()).hexdigest()[:16],
            camera_id=self.camera.id,
            kind=kind,
            began_at=_utc(began),
            noticed_at=_utc(t),
        )
        self._faults[kind] = fault
        return (fault,)

    def _end(self, kind: HealthKind, t: float) -> tuple[HealthIncident, ...]:
        self._clocks[kind] = FaultClock()
        return (replace(self._faults.pop(kind), ended_at=_utc(t)),)

    def _patience_s(self, kind: HealthKind) -> float | None:
        """None: not checked."""
        patience_s: float | None = getattr(self.camera.health, f"{kind[7:]}_s")
        return patience_s

    def _suspended(self) -> bool:
        return self._distrusted or bool(self._faults.keys() - {"camera_no_signal"})


def read_reference(camera: Camera, folder: Path) -> Grey | None:
    """The camera's reference picture as a thumbnail; None when it names none.

    Args:
        camera: its `health.reference` names the file.
        folder: where `cameras.yaml` lies.

    Raises:
        InputError: the file is missing or not a picture; the text names it.
    """
    if not camera.health.reference:
        return None
    path = folder / camera.health.reference
    try:
        data = path.read_bytes()
        return thumbnail(decode(data, probe(data)))
    except (OSError, ImageError) as error:
        why = error.message_zh if isinstance(error, ImageError) else (error.strerror or str(error))
        raise InputError(
            f"camera {camera.id}: reference picture {path}: {error}",
            message_zh=f"摄像机 {camera.id} 的基准图 {path} 无法使用：{why}",
            code="bad_reference",
        ) from None


def _drawn(camera: Camera) -> str:
    """Changes when the zones are redrawn, which says that the present view is the right one."""
    shapes = [[zone.id, zone.polygon] for zone in camera.zones]
    text = json.dumps([camera.health.reference, shapes])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _utc(t: float) -> datetime:
    return datetime.fromtimestamp(t, tz=UTC)
