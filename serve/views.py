"""From the rooms' values to what the doors answer."""

from __future__ import annotations

from ..vision.cameras import Camera
from ..vision.detections import Detections
from ..vision.health import HEALTH_ZH
from ..vision.incident import STATE_ZH, Incident
from ..vision.kinds import Kinds
from .evidence_files import media_type
from .lane_health import LaneHealth
from .records import IncidentRecord
from .schemas import (
    Box,
    CameraHealthOut,
    EvidenceOut,
    FaultOut,
    IncidentOut,
    JournalOut,
    LinkOut,
    ObservationOut,
)
from .settings import EVIDENCE_FOLDER


def boxes(detections: Detections, labels_zh: dict[str, str]) -> list[Box]:
    """Boxes with rounded numbers: tenths of a pixel, thousandths of a score."""
    return [
        Box.model_construct(
            label=name,
            label_zh=labels_zh.get(name, name),
            score=round(float(score), 3),
            box=(round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)),
            track_id=int(track) if track >= 0 else None,
        )
        for name, score, (x1, y1, x2, y2), track in zip(
            detections.names(),
            detections.score,
            detections.xyxy.tolist(),
            detections.track_id,
            strict=True,
        )
    ]


def health_view(health: LaneHealth) -> CameraHealthOut:
    """A camera's faults in words."""
    faults = health.faults
    names = [HEALTH_ZH[fault.kind] for fault in faults]
    return CameraHealthOut(
        state=faults[0].kind if faults else "well",
        state_zh=names[0] if faults else "正常",
        since=faults[0].began_at if faults else None,
        reason_zh="、".join(names),
        zones_suspended=health.told_suspended,
        faults=[
            FaultOut(
                id=fault.id,
                kind=fault.kind,
                kind_zh=HEALTH_ZH[fault.kind],
                began_at=fault.began_at,
                noticed_at=fault.noticed_at,
            )
            for fault in faults
        ],
    )


class IncidentViews:
    """Incidents with the names of their kind, camera and zone."""

    def __init__(self, kinds: Kinds, cameras: dict[str, Camera]) -> None:
        self._kinds = {kind.id: kind for kind in kinds.kinds}
        self._cameras = cameras

    def incident(self, incident: Incident) -> IncidentOut:
        """A kind, camera or zone that has left the configuration is shown by its id."""
        kind = self._kinds.get(incident.kind)
        camera = self._cameras.get(incident.camera_id)
        zone_names = {zone.id: zone.name for zone in camera.zones} if camera else {}
        return IncidentOut(
            id=incident.id,
            kind=incident.kind,
            kind_zh=kind.zh if kind else incident.kind,
            code=kind.code if kind else "",
            camera_id=incident.camera_id,
            camera_name=(camera.name if camera else "") or incident.camera_id,
            zone_id=incident.zone_id,
            zone_name=zone_names.get(incident.zone_id) or incident.zone_id,
            state=incident.state.value,
            state_zh=STATE_ZH[incident.state],
            onset_at=incident.onset_at,
            opened_at=incident.opened_at,
            last_seen_at=incident.last_seen_at,
            ended_at=incident.ended_at,
            dwell_s=round(incident.dwell_s, 3),
            box=incident.box,
            label=incident.label,
            score=round(incident.score, 3),
            reasons=list(incident.reasons),
            model=incident.model,
            rule=incident.rule,
        )

    def record(self, record: IncidentRecord) -> IncidentOut:
        """An incident with its pictures, and its journal where that was read."""
        view = self.incident(record.incident)
        view.evidence = [
            EvidenceOut.model_validate(
                {
                    "moment": picture.moment,
                    "media_type": media_type(picture.path),
                    "ts": picture.ts,
                    "sha256": (picture.blurred or picture).sha256,
                    "path": f"{EVIDENCE_FOLDER}/{(picture.blurred or picture).path}",
                    "blurred": picture.blurred is not None,
                    "original_sha256": picture.sha256,
                    "url": f"/v1/incidents/{picture.incident_id}/evidence/{picture.moment}",
                }
            )
            for picture in record.evidence
        ]
        if record.journal:
            view.journal = [
                JournalOut(
                    state=step.state.value,
                    state_zh=STATE_ZH[step.state],
                    media_at=step.media_at,
                    recorded_at=step.recorded_at,
                )
                for step in record.journal
            ]
            view.links = [
                LinkOut(
                    incident_id=link.incident.id,
                    kind=link.incident.kind,
                    camera_id=link.incident.camera_id,
                    state=link.incident.state.value,
                    reasons=list(link.reasons),
                )
                for link in record.links
            ]
            view.observations = [
                ObservationOut(
                    at=seen.at,
                    strength=round(seen.strength, 3),
                    holds=seen.holds,
                    reasons=list(seen.reasons),
                )
                for seen in record.observations
            ]
        return view
