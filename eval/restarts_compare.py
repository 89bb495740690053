"""What a run left behind, and in what two runs differ."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx

STATES = ("suspected", "open", "ended", "discarded")
PAGE = 200


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Everything the doors show after a run.

    Attributes:
        incidents: by id, as `/v1/incidents/{id}` gives them.
        events: the whole outbox in order.
        pictures: (incident, moment) → SHA-256 of the bytes that were served.
        broken: pictures that are missing, or are not what their entry says.
    """

    incidents: dict[str, dict[str, Any]]
    events: list[dict[str, Any]]
    pictures: dict[tuple[str, str], str]
    broken: list[str]


def look_at(url: str) -> Aftermath:
    """Read all there is."""
    incidents: dict[str, dict[str, Any]] = {}
    pictures: dict[tuple[str, str], str] = {}
    broken: list[str] = []
    with httpx.Client(base_url=url, timeout=60) as client:
        query: dict[str, Any] = {"state": STATES, "limit": PAGE}
        while True:
            page = client.get("/v1/incidents", params=query).raise_for_status().json()
            for row in page["items"]:
                found = client.get(f"/v1/incidents/{row['id']}").raise_for_status().json()
                incidents[row["id"]] = found
                for entry in found["evidence"]:
                    key = (row["id"], entry["moment"])
                    answer = client.get(entry["url"])
                    pictures[key] = hashlib.sha256(answer.content).hexdigest()
                    whole = answer.status_code == httpx.codes.OK
                    if not whole or pictures[key] != entry["sha256"]:
                        broken.append("/".join(key))
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        events = _events(client)
    return Aftermath(incidents, events, pictures, broken)


def _events(client: httpx.Client) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        query = {"after": after, "limit": PAGE}
        page = client.get("/v1/events", params=query).raise_for_status().json()
        events += page["events"]
        after, more = page["next_after"], page["more"]
    return events


def compare(
    calm: Aftermath,
    killed: Aftermath,
    read: list[dict[str, Any]],
    told: list[dict[str, Any]],
) -> dict[str, Any]:
    """Figures of the differences; `read` is what the outbox's reader saw while the server was
    being killed, `told` the incidents that answers to frames named."""
    figures = {
        "incidents": _incidents(calm, killed, told),
        "events": _event_figures(calm, killed, read),
        "evidence": _evidence(calm, killed),
    }
    bad = sum(
        value
        for part in figures.values()
        for name, value in part.items()
        if name not in ("expected", "found", "before_expected", "before_found", "same_picture")
    )
    return {**figures, "ok": bad == 0 and bool(calm.incidents)}


def _incidents(calm: Aftermath, killed: Aftermath, told: list[dict[str, Any]]) -> dict[str, int]:
    both = calm.incidents.keys() & killed.incidents.keys()
    names = {i["id"] for i in told}
    return {
        "expected": len(calm.incidents),
        "found": len(killed.incidents),
        "lost": len(calm.incidents.keys() - killed.incidents.keys()),
        "doubled": len(killed.incidents.keys() - calm.incidents.keys()),
        "changed": sum(_facts(calm.incidents[i]) != _facts(killed.incidents[i]) for i in both),
        "told_but_not_stored": len(names - killed.incidents.keys()),
    }


def _facts(incident: dict[str, Any]) -> dict[str, Any]:
    """All but what must differ: when things were recorded, and the pictures."""
    facts = {k: v for k, v in incident.items() if k not in ("evidence", "journal")}
    facts["journal"] = [(step["state"], step["media_at"]) for step in incident["journal"]]
    return facts


def _event_figures(
    calm: Aftermath, killed: Aftermath, read: list[dict[str, Any]]
) -> dict[str, int]:
    """Order between cameras is chance; within one subject it is not."""
    wanted, found = _by_subject(calm.events), _by_subject(killed.events)
    numbers = [int(event["sequence"]) for event in killed.events]
    times = Counter(event["id"] for event in killed.events)
    stored = {(event["sequence"], event["id"]) for event in killed.events}
    seen = [(event["sequence"], event["id"]) for event in read]
    return {
        "expected": len(calm.events),
        "found": len(killed.events),
        "gaps": sum(b - a != 1 for a, b in zip([0, *numbers], numbers, strict=False)),
        "repeated": sum(count - 1 for count in times.values()),
        "subjects_that_differ": sum(
            wanted.get(subject) != found.get(subject) for subject in wanted.keys() | found.keys()
        ),
        "read_twice": len(seen) - len(set(seen)),
        "read_but_not_stored": len(set(seen) - stored),
        "stored_but_not_read": len(stored - set(seen)),
    }


def _by_subject(events: list[dict[str, Any]]) -> dict[str, list[tuple[str, str, Any]]]:
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for event in events:
        found.setdefault(event["subject"], []).append((event["id"], event["time"], event["data"]))
    return found


def _evidence(calm: Aftermath, killed: Aftermath) -> dict[str, int]:
    both = calm.pictures.keys() & killed.pictures.keys()
    return {
        "expected": len(calm.pictures),
        "found": len(killed.pictures),
        "missing": len(calm.pictures.keys() - killed.pictures.keys()),
        "extra": len(killed.pictures.keys() - calm.pictures.keys()),
        "broken": len(killed.broken),
        "before_expected": sum(moment == "before" for _, moment in calm.pictures),
        "before_found": sum(moment == "before" for _, moment in killed.pictures),
        "same_picture": sum(calm.pictures[key] == killed.pictures[key] for key in both),
    }
