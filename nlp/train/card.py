"""CARD.md of a router artefact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...models.manifest import Manifest

CARD_NAME = "CARD.md"

_INTRO = """# Router {version}: which department a call goes to

{models}

Two heads: {n_labels} department labels and {n_categories} first-level categories. {size_mb:.1f} MB
in all. Probabilities are fitted on out-of-fold answers. Made by
`{command}`; `run.json` holds all options.

## Data

{messages} messages of one public message board (labels: one reading each by a language-model
reader against the guide, not by officials; about 1 in 20 doubtful), {categories} messages with
first-level category (Teddy Cup 2020 C; competition data without licence), {written} examples
written by the project (about 20 each for departments the messages hardly show: tuiyi, shuiwu,
jinrong, yingji, fagai, other; about 5 each for the rest), and homophone classes from
pycorrector's table (Apache-2.0). None of the messages is part of the artefact; the vocabulary
holds runs of at most four characters that at least three messages share. Each message is also
learnt once more, retold as a call by rule (`nlp/train/speech.py`).

**Kept out of training:** {held_out} messages. A near-duplicate group is kept out when the SHA-256
of its smallest id modulo 100 is below 12. The shipped weights and vocabulary never saw them, nor
the category messages that resemble them; calibration and thresholds were fitted on out-of-fold
answers to the other messages. The cross-validation below reads all messages.

## Figures
"""

_LINEAR = """Linear classifier over character 1–4-grams and syllable-class 2–3-grams (tf-idf,
one-against-all support vector machines; 8-bit weights)."""

_BOTH = """Two models whose log probabilities are averaged and calibrated together:

- a linear classifier over character 1–4-grams and syllable-class 2–3-grams (tf-idf,
  one-against-all support vector machines; 8-bit weights);
- a text encoder of {layers} transformer layers of width 384, started from multilingual-e5-small
  (MIT; vocabulary pruned to Chinese). The embeddings and the lowest {frozen} layers are as they
  came; the others and the heads were trained for {epochs} epochs on both tasks at once. Messages
  were also learnt retold as calls and with misheard characters. Windows of {max_tokens} tokens, up
  to {max_windows} of a text. Matrices in 8 bits, arithmetic in single precision or bfloat16."""

_LIMITS = """
## Limits

- Labels were given from the title and the first 200–240 characters, and two readers agree on 96 %.
- The messages are written; calls are spoken. Spoken calls without a title score lower: see
  `docs/hotline.md` for the figures on the project's own spoken samples.
- `shuiwu`, `tuiyi`, `jinrong`, `yingji`, `fagai` and `other` rest on few real messages; their own
  figures are weak evidence. A label without a threshold is never dispatched automatically.
- Place names are masked in the training messages (A市, K6县): places tell this model nothing.
- Evidence is the additive share of each n-gram and token in the answer, spread over its characters.
  It says what moved this model, not what is true.
"""


def write_card(folder: Path, manifest: Manifest, run: dict[str, Any]) -> Path:
    """Write the card beside the manifest."""
    names = [manifest.model.name, *(entry.name for entry in manifest.files)]
    size_mb = sum((folder / name).stat().st_size for name in names) / 1e6
    plan, seed = run["options"]["encoder"], run["options"]["seed"]
    models, command = _LINEAR, f"xiaozheng train router --data DIR --out DIR --seed {seed}"
    if plan is not None:
        models = _BOTH.format(**(plan["options"] | plan["options"]["text"]))
        command += " --base DIR"
    intro = _INTRO.format(
        version=manifest.version,
        models=models,
        command=command,
        n_labels=len(manifest.labels),
        n_categories=len(manifest.extra["categories"]),
        size_mb=size_mb,
        **run["rows"],
    )
    path = folder / CARD_NAME
    tables = _figures(manifest.metrics) + "\n\n" + _by_department(manifest, run)
    path.write_text(intro + "\n" + tables + "\n" + _LIMITS, encoding="utf-8")
    return path


_SETS = {
    "departments_cv": "departments, cross-validation",
    "departments_cv_sure": "the same, only messages the reader was sure of",
    "departments_cv_as_calls": "the same messages retold as calls (no title, small talk)",
    "departments_cv_misheard": "the same messages with 30 % of the characters misheard",
    "departments_cv_linear_alone": "the linear model alone",
    "departments_cv_encoder_alone": "the encoder alone",
    "departments_held_out": "departments, messages kept out of training",
    "departments_held_out_sure": "the same, only messages the reader was sure of",
    "departments_held_out_as_calls": "the same, retold as calls",
    "departments_held_out_misheard": "the same, 30 % of the characters misheard",
    "category_cv": "first-level category, cross-validation",
    "category_cv_linear_alone": "the linear model alone",
    "category_cv_encoder_alone": "the encoder alone",
}
_KEYS = ("n", "top1", "top3", "macro_f1", "ece", "auto_share_at_97")


def _figures(metrics: dict[str, Any]) -> str:
    lines = [
        "Folds keep near duplicates together; probabilities in the cross-validation rows were"
        " calibrated on other rows than they are measured on. ece: 15 equal-width bins."
        " auto_share_at_97: the largest share that can be decided at 97 % precision, chosen with"
        " hindsight on the same rows.",
        "",
        "| set | " + " | ".join(_KEYS) + " |",
        "|---|" + "---|" * len(_KEYS),
    ]
    for key, title in _SETS.items():
        if key not in metrics:
            continue
        cells = (_cell(metrics[key][name]) for name in _KEYS)
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _by_department(manifest: Manifest, run: dict[str, Any]) -> str:
    lines = [
        "By department (cross-validation):",
        "",
        "| code | department | n | precision | recall | automatic from |",
        "|---|---|---|---|---|---|",
    ]
    for label in manifest.labels:
        row = run["per_department"][label.name]
        threshold = manifest.thresholds.get(label.name)
        shown = "never" if threshold is None else f"{threshold:.3f}"
        lines.append(
            f"| {label.name} | {label.zh} | {row['n']} | {row['precision']:.3f} |"
            f" {row['recall']:.3f} | {shown} |"
        )
    return "\n".join(lines)


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
