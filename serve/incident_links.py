"""Which incidents are one real event: found when one begins or ends, and kept beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import permutations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..vision.cameras import Camera
from ..vision.incident import IncidentState
from ..vision.linking import links
from .records import REPORTED, LinkedIncident
from .rows import incident_of
from .tables import IncidentRow, LinkRow


def write_links(
    session: Session,
    changed: frozenset[str],
    cameras: Mapping[str, Camera],
    recorded_at: datetime,
) -> None:
    """Link the reported ones of the `changed` incidents with those they belong to."""
    rows = session.scalars(select(IncidentRow).where(IncidentRow.id.in_(changed))).all()
    told = [row for row in rows if IncidentState(row.state) in REPORTED]
    if not told:
        return
    earliest = min(row.onset_at for row in told)
    latest = max(row.ended_at or row.last_seen_at for row in told)
    beside = select(IncidentRow).where(
        IncidentRow.camera_id.in_(_neighbours({row.camera_id for row in told}, cameras)),
        IncidentRow.state.in_(REPORTED),
        IncidentRow.onset_at <= latest,
        or_(IncidentRow.ended_at.is_(None), IncidentRow.ended_at >= earliest),
    )
    for link in links([incident_of(row) for row in session.scalars(beside)], cameras):
        if changed.isdisjoint(link.ids):
            continue
        for one, other in permutations(link.ids, 2):
            session.merge(
                LinkRow(
                    incident_id=one,
                    other_id=other,
                    reasons=list(link.reasons),
                    recorded_at=recorded_at,
                )
            )


def read_links(session: Session, incident_id: str) -> tuple[LinkedIncident, ...]:
    """The others of an incident's group, in order of onset."""
    statement = (
        select(LinkRow, IncidentRow)
        .join(IncidentRow, IncidentRow.id == LinkRow.other_id)
        .where(LinkRow.incident_id == incident_id)
        .order_by(IncidentRow.onset_at, IncidentRow.id)
    )
    return tuple(
        LinkedIncident(incident_of(other), tuple(link.reasons))
        for link, other in session.execute(statement)
    )


def _neighbours(camera_ids: set[str], cameras: Mapping[str, Camera]) -> set[str]:
    """These cameras and all that share a place with one of them."""
    places = {
        zone.place for name in camera_ids if name in cameras for zone in cameras[name].zones
    } - {None}
    sharing = {
        camera.id for camera in cameras.values() if any(z.place in places for z in camera.zones)
    }
    return camera_ids | sharing
