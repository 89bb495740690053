"""How good a detector is on labelled pictures: every figure of `xiaozheng eval detector`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..vision.families import family_of
from .detector_coco import SIZES, CocoFigures, coco_figures, size_of
from .detector_match import NOBODY, Judged, confusion, judge, place_states
from .detector_run import Run
from .detector_set import TestSet

STATES = ("bin", "overflowing_bin")
"""The two states of one thing that rules tell apart: the second is the one they report."""
CALIBRATION_MIN_SCORE = 0.05
"""Below it nearly every box is false, and ten thousand of them would drown the rest."""
CALIBRATION_BINS = 10

Bools = NDArray[np.bool_]
_Choice = Callable[[Judged], Bools]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One detector on one set.

    Attributes:
        names: judged classes.
        run, test_set: what was measured on what.
        firm: each picture's boxes as the product shows them, matched to the labels.
        everything: the same for boxes of any score.
        coco: average precisions.
    """

    names: tuple[str, ...]
    run: Run
    test_set: TestSet
    firm: tuple[Judged, ...]
    everything: tuple[Judged, ...]
    coco: CocoFigures


def evaluate(run: Run, test_set: TestSet) -> Evaluation:
    """Match and measure; needs at least one usable picture (ValueError)."""
    if not run.found:
        raise ValueError("no usable picture")
    names = test_set.table.names
    return Evaluation(
        names=names,
        run=run,
        test_set=test_set,
        firm=tuple(judge(item, item.firm, names) for item in run.found),
        everything=tuple(judge(item, item.everything, names) for item in run.found),
        coco=coco_figures(run.found, names),
    )


def figures(result: Evaluation) -> dict[str, Any]:
    """Everything as plain values under the documented keys; NaN where nothing can be said."""
    run, test_set, coco = result.run, result.test_set, result.coco
    whole = _rates(result.firm, partial(_of_class, None), partial(_true_of_class, None))
    empty = [item for item in result.firm if not len(item.truth)]
    return {
        "model": run.model,
        "backend": run.backend,
        "n_images": len(run.found),
        "n_broken": len({p.path for p in test_set.problems}) + len(run.broken),
        "n_images_without_objects": len(empty),
        "ap": coco.ap,
        "ap50": coco.ap50,
        "ap75": coco.ap75,
        **{key: whole[key] for key in ("precision", "recall", "f1")},
        "fp_per_image": _ratio(sum(len(item.boxes) for item in empty), len(empty)),
        "seconds_per_image": run.seconds_per_image,
        "per_class": {name: class_figures(result, k) for k, name in enumerate(result.names)},
        "false_per_image_without": {
            name: false_without(result, k) for k, name in enumerate(result.names)
        },
        "by_size": {name: size_figures(result, s) for s, name in enumerate(SIZES)},
        "bin_state": bin_state(result),
        "calibration": {
            "min_score": CALIBRATION_MIN_SCORE,
            **calibration(result.everything),
        },
        "confusion": {
            "classes": [*result.names, None],
            "counts": confusion(list(result.firm), len(result.names)).tolist(),
        },
        "classes": {
            "judged": list(result.names),
            "renamed": test_set.renamed,
            "absent": list(test_set.absent),
            "unknown_to_model": test_set.unknown,
            "not_labelled_in_set": list(test_set.unlabelled),
        },
        "problems": _problems(result),
    }


def class_figures(result: Evaluation, class_id: int) -> dict[str, Any]:
    """Figures of one class: AP over all scores; counts and rates at the model's threshold."""
    name = result.names[class_id]
    rates = _rates(result.firm, partial(_of_class, class_id), partial(_true_of_class, class_id))
    return {
        "zh": result.run.labels_zh[name],
        "ap": float(result.coco.ap_by_class[class_id]),
        "ap50": float(result.coco.ap50_by_class[class_id]),
        "threshold": result.run.thresholds[name],
        **rates,
        **_best_threshold(result.everything, class_id),
        "ece": calibration(result.everything, class_id)["ece"],
    }


def size_figures(result: Evaluation, size: int) -> dict[str, Any]:
    """Figures of boxes of one of COCO's sizes; recall by true, precision by found boxes."""
    found = partial(_of_size, size)
    return {
        "ap": float(result.coco.ap_by_size[size]),
        "ap50": float(result.coco.ap50_by_size[size]),
        **{
            key: value
            for key, value in _rates(result.firm, found, partial(_true_of_size, size)).items()
            if key in ("n", "precision", "recall")
        },
    }


def false_without(result: Evaluation, class_id: int) -> dict[str, Any]:
    """False boxes of a class on pictures that show nothing of its family.

    A van called truck is a lesser error than a truck where no vehicle is: hence families.
    """
    family = family_of(result.names[class_id])
    kin = [k for k, name in enumerate(result.names) if family_of(name) == family]
    bare = [item for item in result.firm if not np.isin(item.truth_classes, kin).any()]
    false = sum(int((item.classes == class_id).sum()) for item in bare)
    return {"images": len(bare), "false": false, "per_image": _ratio(false, len(bare))}


def bin_state(result: Evaluation) -> dict[str, Any] | None:
    """Overflowing against normal; None unless labelled boxes of both states are there.

    The plain figures are about bins that were found (as either state) and ask which state won at
    the place. `end_to_end` also counts bins that were not found and boxes where no bin is.
    """
    if not set(STATES) <= set(result.names):
        return None
    ids = (result.names.index(STATES[0]), result.names.index(STATES[1]))
    labelled = np.concatenate([item.truth_classes for item in result.firm])
    if not all((labelled == k).any() for k in ids):
        return None
    counts = place_states(list(result.firm), ids)
    normal, full = counts[0, 1], counts[1, 1]
    return {
        **_scores(full, int(counts[:2, 1].sum()), int(counts[1, :2].sum())),
        "accuracy": _ratio(counts[0, 0] + full, counts[:2, :2].sum()),
        "found": int(counts[:2, :2].sum()),
        "missed": int(counts[:2, 2].sum()),
        "normal_called_overflowing": int(normal),
        "overflowing_called_normal": int(counts[1, 0]),
        "end_to_end": _scores(full, int(counts[:, 1].sum()), int(counts[1].sum())),
        "counts": {"rows_true_columns_found": [*STATES, None], "values": counts.tolist()},
    }


def calibration(judged: Sequence[Judged], class_id: int | None = None) -> dict[str, Any]:
    """Does a score mean what it says? Share of right boxes among those of about one score.

    Expected calibration error over ten bins of equal width (Naeini et al. 2015), a box being right
    when it hits a labelled one of its class at IoU 0.5.
    """
    scores, hits = _scored(judged, class_id)
    kept = scores >= CALIBRATION_MIN_SCORE
    scores, hits = scores[kept], hits[kept]
    places = np.minimum((scores * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    bins: list[dict[str, Any]] = []
    for number in range(CALIBRATION_BINS):
        mine = places == number
        count = int(mine.sum())
        bins.append(
            {
                "low": max(number / CALIBRATION_BINS, CALIBRATION_MIN_SCORE),
                "high": (number + 1) / CALIBRATION_BINS,
                "n": count,
                "mean_score": float(scores[mine].mean()) if count else float("nan"),
                "hit_rate": float(hits[mine].mean()) if count else float("nan"),
            }
        )
    gaps = [abs(b["mean_score"] - b["hit_rate"]) * b["n"] for b in bins if b["n"]]
    return {"ece": sum(gaps) / len(scores) if len(scores) else float("nan"), "bins": bins}


def _problems(result: Evaluation) -> list[dict[str, Any]]:
    labels = [
        {"path": str(p.path), "line": p.line, "code": p.code, "reason": p.reason}
        for p in result.test_set.problems
    ]
    pictures = [
        {"path": str(b.path), "line": 0, "code": b.error.code, "reason": b.error.message_zh}
        for b in result.run.broken
    ]
    return labels + pictures


def _rates(judged: Sequence[Judged], found: _Choice, true: _Choice) -> dict[str, Any]:
    """Counts and rates over the found boxes and the labelled boxes that two masks choose."""
    hits = false = caught = missed = 0
    for item in judged:
        mine = item.partner[found(item)] != NOBODY
        hits, false = hits + int(mine.sum()), false + int((~mine).sum())
        lost = item.missed[true(item)]
        caught, missed = caught + int((~lost).sum()), missed + int(lost.sum())
    precision, recall = _ratio(hits, hits + false), _ratio(caught, caught + missed)
    return {
        "n": caught + missed,
        "hits": hits,
        "false": false,
        "missed": missed,
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * hits, 2 * hits + false + missed) if caught + missed else float("nan"),
    }


def _of_class(class_id: int | None, item: Judged) -> Bools:
    return item.classes == class_id if class_id is not None else item.classes >= 0


def _true_of_class(class_id: int | None, item: Judged) -> Bools:
    return item.truth_classes == class_id if class_id is not None else item.truth_classes >= 0


def _of_size(size: int, item: Judged) -> Bools:
    """Hits go by the size of the box that was hit, as in COCO; false boxes by their own."""
    own = size_of(item.boxes)
    hit = item.partner != NOBODY
    own[hit] = size_of(item.truth[item.partner[hit]])
    return np.asarray(own == size)


def _true_of_size(size: int, item: Judged) -> Bools:
    return np.asarray(size_of(item.truth) == size)


def _best_threshold(judged: Sequence[Judged], class_id: int) -> dict[str, float]:
    """Where F1 would be best on this very set: a hint for retraining, not a promise."""
    scores, hits = _scored(judged, class_id)
    positives = sum(int((item.truth_classes == class_id).sum()) for item in judged)
    if not len(scores) or not positives:
        return {"best_threshold": float("nan"), "best_f1": float("nan")}
    order = np.argsort(-scores, kind="stable")
    f1 = 2 * np.cumsum(hits[order]) / (np.arange(1, len(order) + 1) + positives)
    best = int(np.argmax(f1))
    return {"best_threshold": float(scores[order][best]), "best_f1": float(f1[best])}


def _scored(
    judged: Sequence[Judged], class_id: int | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of all boxes of a class (None: of every class), and whether each hit."""
    masks = [_of_class(class_id, item) for item in judged]
    scores = [item.scores[mask] for item, mask in zip(judged, masks, strict=True)]
    hits = [item.partner[mask] != NOBODY for item, mask in zip(judged, masks, strict=True)]
    return np.concatenate(scores), np.concatenate(hits)


def _scores(hits: int, claimed: int, positives: int) -> dict[str, float]:
    return {
        "precision": _ratio(hits, claimed),
        "recall": _ratio(hits, positives),
        "f1": _ratio(2 * hits, claimed + positives),
    }


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
