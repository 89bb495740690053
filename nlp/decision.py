"""From probabilities to `auto`, `suggest` or `human`, with the rule that decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .departments import DecisionRules, Department, Departments
from .prepare import PreparedText
from .scope import out_of_scope
from .suggestion import Decision, RankedDepartment

OUT_OF_SCOPE = "other"
NEVER = 1.01
DEFAULT_MIN_GAP = 0.25
# So many characters that no encoding has, and the text is garbled.
GARBLED_CHARS = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """What the model says of a text besides its probabilities.

    Args:
        known_share: of its two-character words, those the model knows.
        familiar: the encoder has met texts like it.
        cut: its end was not read.
        min_gap: lead over the second department that the model was tuned for.
    """

    known_share: float
    familiar: bool = True
    cut: bool = False
    min_gap: float = DEFAULT_MIN_GAP


def auto_threshold(department: Department, model_thresholds: Mapping[str, float]) -> float:
    """Probability from which a department's calls may be dispatched without a clerk.

    The city's own number wins; else the strictest of the model's for the merged labels; a label
    the model has no number for is never dispatched.
    """
    if department.never_auto:
        return NEVER
    if department.auto_threshold is not None:
        return department.auto_threshold
    return max(model_thresholds.get(label, NEVER) for label in department.model_labels)


def decide(
    text: PreparedText,
    signs: Signs,
    ranked: Sequence[RankedDepartment],
    departments: Departments,
    model_thresholds: Mapping[str, float],
) -> Decision:
    """Apply the rules in order; the first that fits decides."""
    refused = _unreadable(text, signs, departments.decision) or out_of_scope(text, departments.city)
    if refused:
        return refused
    first, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    department = departments.by_code[first.code]
    if OUT_OF_SCOPE in department.model_labels and len(department.model_labels) == 1:
        return Decision("human", "out_of_scope", "没有听出可以办理的诉求")
    if not signs.familiar:
        return Decision("human", "unfamiliar", "与办理过的各类诉求都不像，请人工判断")
    rules = departments.decision
    min_gap = signs.min_gap if rules.min_gap is None else rules.min_gap
    gap = first.probability - (second.probability if second else 0.0)
    threshold = auto_threshold(department, model_thresholds)
    if first.probability >= threshold and gap >= min_gap:
        return Decision(
            "auto",
            "above_auto_threshold",
            f"{department.name}的把握 {first.probability:.0%}，达到自动派单线 {threshold:.0%}",
        )
    suggest_threshold = (
        rules.suggest_threshold
        if department.suggest_threshold is None
        else department.suggest_threshold
    )
    if first.probability < suggest_threshold:
        return Decision(
            "human",
            "below_suggest_threshold",
            f"最高把握只有 {first.probability:.0%}，低于建议线 {suggest_threshold:.0%}",
        )
    return _suggest(first, second, gap, threshold, min_gap)


def _unreadable(text: PreparedText, signs: Signs, rules: DecisionRules) -> Decision | None:
    if text.n_chars == 0:
        return Decision("human", "no_words", "没有可读的文字")
    if signs.cut:
        return Decision("human", "too_long", "文本过长，后面的没有读，请人工阅读")
    shown = text.masked_title + text.masked_text
    if shown.count("\ufffd") >= GARBLED_CHARS or "锟斤拷" in shown:
        return Decision("human", "garbled", "文字有乱码，请核对原文的编码")
    if text.han_share < rules.min_han_share:
        return Decision("human", "not_chinese", "主要不是中文")
    if text.n_chars < rules.min_chars:
        return Decision("human", "too_short", f"只有 {text.n_chars} 个字，信息不足")
    if signs.known_share < rules.min_known_share:
        return Decision("human", "unknown_words", f"只认得 {signs.known_share:.0%} 的词")
    return None


def _suggest(
    first: RankedDepartment,
    second: RankedDepartment | None,
    gap: float,
    threshold: float,
    min_gap: float,
) -> Decision:
    if second and gap < min_gap:
        return Decision(
            "suggest",
            "top_two_close",
            f"{first.name}与{second.name}只差 {gap:.1%}，不到 {min_gap:.0%}，请确认",
        )
    if threshold > 1:
        return Decision("suggest", "never_auto", f"{first.name}的来电不自动派单，请确认")
    return Decision(
        "suggest",
        "below_auto_threshold",
        f"把握 {first.probability:.0%}，未到自动派单线 {threshold:.0%}，请确认",
    )
