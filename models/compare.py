"""Two versions side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .gates import figures
from .manifest import Manifest
from .promote import artifact_bytes
from .registry import Artifact

Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two artefacts state; None where one of them states nothing.

    Attributes:
        facts: size in bytes, hashes, data, input and the like, by name.
        labels: (only in the first, only in the second, whether the order of the rest is the same).
        thresholds, metrics: values by label and by dotted path.
    """

    a: str
    b: str
    facts: dict[str, Pair]
    labels: tuple[tuple[str, ...], tuple[str, ...], bool]
    thresholds: dict[str, Pair]
    metrics: dict[str, Pair]

    def as_json(self) -> dict[str, Any]:
        """For `--json`; every pair is a list of two."""
        only_a, only_b, same_order = self.labels
        return {
            "a": self.a,
            "b": self.b,
            "facts": {key: list(pair) for key, pair in self.facts.items()},
            "labels": {"only_a": only_a, "only_b": only_b, "same_order": same_order},
            "thresholds": {key: list(pair) for key, pair in self.thresholds.items()},
            "metrics": {key: list(pair) for key, pair in self.metrics.items()},
        }


def compare(a: Artifact, b: Artifact) -> Comparison:
    """Compare two artefacts by what their manifests state."""
    old, new = a.manifest, b.manifest
    return Comparison(
        a=a.ref,
        b=b.ref,
        facts=_pairs(_facts(a), _facts(b)),
        labels=_labels(old, new),
        thresholds=_pairs(old.thresholds, new.thresholds),
        metrics=_pairs(figures(old.metrics), figures(new.metrics)),
    )


def _pairs(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Pair]:
    keys = [*old, *(key for key in new if key not in old)]
    return {key: (old.get(key), new.get(key)) for key in keys}


def _facts(artifact: Artifact) -> dict[str, Any]:
    manifest = artifact.manifest
    return {
        "task": manifest.task,
        "bytes": artifact_bytes(artifact),
        "model_sha256": manifest.model.sha256,
        "data_hash": manifest.data_hash,
        "data": list(manifest.data),
        "base": manifest.base,
        "licence": manifest.licence,
        "created": manifest.created,
        "input": manifest.input,
        "output": manifest.output,
    }


def _labels(old: Manifest, new: Manifest) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    before, after = ([label.name for label in m.labels] for m in (old, new))
    only_a = tuple(name for name in before if name not in after)
    only_b = tuple(name for name in after if name not in before)
    common = [name for name in before if name in after]
    return only_a, only_b, common == [name for name in after if name in before]
