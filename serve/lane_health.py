"""One camera's health inside the service: when its state is worth storing, and how it is set back.

While anything is wrong, or may be, every look is stored with its frame, so that a fault has the
same beginning and id however often the process is killed. While all is well only slow averages
change, and an older state is as good.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..config.errors import InputError
from ..vision.cameras import Camera
from ..vision.health import CameraHealth, HealthIncident
from ..vision.health_signs import Grey
from .changes import HealthChange, ViewLearnt

STORE_EVERY_S = 30.0


class LaneHealth:
    """Call `look` and `tick` under the lane's turn, then `change`, then `commit` or `roll_back`."""

    def __init__(
        self, camera: Camera, stored: Mapping[str, Any] | None, reference: Grey | None
    ) -> None:
        """`stored` is the last state in the database. Raises InputError when it is none."""
        self.camera = camera
        self._stored = stored
        self._reference = reference
        self._stored_at: datetime | None = None
        self._health = self._restored()
        self._changed: list[HealthIncident] = []
        self._looked_at: datetime | None = None
        self.zones_suspended = self._health.zones_suspended
        self.faults: tuple[HealthIncident, ...] = self._health.faults
        """Faults in force as far as they are stored, in order of being reported."""
        self.told_suspended = self.zones_suspended
        """`zones_suspended` as far as that is stored: what others may be told."""

    def wants(self, ts: datetime) -> bool:
        """Whether a thumbnail of a frame of this media time would be looked at."""
        return self._health.wants(ts)

    def look(self, ts: datetime, thumb: Grey | None, now: datetime) -> bool:
        """Take a frame; False when it must be kept from the engine."""
        if thumb is not None and self._health.wants(ts):
            self._looked_at = ts
        outcome = self._health.look(ts, thumb, now)
        self._changed += outcome.changed
        self.zones_suspended = outcome.zones_suspended
        return not outcome.zones_suspended

    def tick(self, now: datetime) -> None:
        """Judge silence."""
        outcome = self._health.tick(now)
        self._changed += outcome.changed
        self.zones_suspended = outcome.zones_suspended

    def change(self) -> HealthChange | None:
        """What to store of what was seen since the last commit; None when nothing is worth it."""
        looked = self._looked_at
        if not self._changed and looked is None:
            return None
        snapshot = self._health.snapshot()
        wary = _unsettled(snapshot) or (self._stored is not None and _unsettled(self._stored))
        recent = (
            looked is not None
            and self._stored_at is not None
            and abs((looked - self._stored_at).total_seconds()) < STORE_EVERY_S
        )
        if recent and not (self._changed or self._health.faults or wary):
            return None
        return HealthChange(self.camera.id, snapshot, tuple(self._changed))

    def learn_view(self, by: str, now: datetime) -> HealthChange:
        """The present view is the right one, says `by`; what to store of that."""
        outcome = self._health.forget_view()
        self.zones_suspended = outcome.zones_suspended
        learnt = ViewLearnt(self.camera.id, by, now)
        return HealthChange(self.camera.id, self._health.snapshot(), outcome.changed, learnt)

    def commit(self, change: HealthChange | None) -> None:
        """Stored, or not worth it: go on from there."""
        if change is not None:
            self._stored = change.snapshot
            self._stored_at = self._looked_at or self._stored_at
        self._changed, self._looked_at = [], None
        self.faults, self.told_suspended = self._health.faults, self.zones_suspended

    def roll_back(self) -> None:
        """Forget what was not stored."""
        self._health = self._restored()
        self.zones_suspended = self._health.zones_suspended
        self._changed, self._looked_at = [], None

    def _restored(self) -> CameraHealth:
        if self._stored is None:
            return CameraHealth(self.camera, self._reference)
        try:
            return CameraHealth.restore(self.camera, self._stored, self._reference)
        except InputError as error:
            raise InputError(
                f"camera {self.camera.id}: its health in the database cannot be restored: {error}",
                message_zh=f"摄像机 {self.camera.id}：数据库中的健康状态无法恢复",
                code=error.code,
            ) from error


def _unsettled(snapshot: Mapping[str, Any]) -> bool:
    """Whether a picture was doubted, so that the next good one is worth storing too."""
    ill = any(clock["ill_since"] is not None for clock in snapshot["clocks"].values())
    return bool(ill or snapshot.get("distrusted"))
