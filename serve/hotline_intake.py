"""A call as it came in, made ready for the router: turns are masked one by one, and tagged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..nlp.mask import mask_turns
from ..nlp.normalise import caller_words
from ..nlp.spans import traced
from ..nlp.suggestion import Decision, Suggestion
from ..nlp.transcript import Transcript, turns_text

# PostgreSQL keeps no text that holds it.
NUL = "\x00"
SHOWN_CHARS = 60
NUL_NOTE = "含空字符（U+0000），已换成 \ufffd"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of the two said before the other spoke."""

    speaker: Literal["agent", "caller"]
    text: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """One call, unmasked. With `turns`, `transcript.text` is empty: the turns are its text.
    One that is not `kept` is only a question: no later call is compared with it."""

    transcript: Transcript
    turns: tuple[Turn, ...] = ()
    kept: bool = True

    @property
    def id(self) -> str:
        return self.transcript.id

    @property
    def text(self) -> str:
        """All that was said, with speaker tags where there are turns."""
        return _tagged(self.turns) if self.turns else self.transcript.text

    @property
    def n_chars(self) -> int:
        return len(self.transcript.text) + sum(len(turn.text) for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Readable:
    """What the router is given. Of turns that is masked already: `personal` are the kinds found;
    `notes` tell what was done to the text, `cut` that its end is missing."""

    transcript: Transcript
    personal: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cut: bool = False

    def completed(self, suggestion: Suggestion) -> Suggestion:
        """The router's answer with what only the intake knows."""
        kinds = tuple(dict.fromkeys((*self.personal, *suggestion.personal_data)))
        decision = suggestion.decision
        if self.cut and decision.verdict != "human":
            decision = Decision("human", "too_long", "对话过长，后面的没有读，请人工阅读")
        return replace(
            suggestion,
            personal_data=kinds,
            notes=(*self.notes, *suggestion.notes),
            decision=decision,
        )


def readable(call: Incoming, max_chars: int) -> Readable:
    """Masking looks at all turns together: a number may go on after the agent's 嗯."""
    notes: list[str] = []
    turns, title, text = call.turns, call.transcript.title, call.transcript.text
    if any(NUL in said for said in (title, text, *(turn.text for turn in turns))):
        notes.append(NUL_NOTE)
        title, text = title.replace(NUL, "\ufffd"), text.replace(NUL, "\ufffd")
        turns = tuple(replace(turn, text=turn.text.replace(NUL, "\ufffd")) for turn in turns)
    kept = _first(turns, max_chars)
    cut = len(kept) < len(turns) or (bool(turns) and kept[-1] != turns[-1])
    if cut:
        notes.append(f"对话共 {call.n_chars} 字，只读了前 {max_chars} 字")
    masked = mask_turns([turn.text for turn in kept])
    if kept:
        pairs = zip(kept, masked, strict=True)
        text = _tagged([Turn(turn.speaker, found.text) for turn, found in pairs])
    return Readable(
        replace(call.transcript, title=title, text=text),
        tuple(dict.fromkeys(span.kind for found in masked for span in found.spans)),
        tuple(notes),
        cut,
    )


def spoken(masked_text: str) -> str:
    """The caller's words of a masked call, without the agent's turns and the speaker tags."""
    return caller_words(traced(masked_text)).text.strip()


def shown(title: str, masked_text: str) -> str:
    """A call in one line: its title, or the beginning of the caller's words."""
    line = " ".join((title or spoken(masked_text)).split())
    return line if len(line) <= SHOWN_CHARS else line[:SHOWN_CHARS] + "…"


def _first(turns: tuple[Turn, ...], max_chars: int) -> tuple[Turn, ...]:
    kept: list[Turn] = []
    room = max_chars
    for turn in turns:
        if room <= 0:
            break
        kept.append(replace(turn, text=turn.text[:room]))
        room -= len(turn.text)
    return tuple(kept)


def _tagged(turns: tuple[Turn, ...] | list[Turn]) -> str:
    return turns_text([{"speaker": turn.speaker, "text": turn.text} for turn in turns])
