"""From a checked transcript to what is shown (masked) and what the model reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .features import FeatureText, feature_text
from .mask import MASK_PATTERN, PersonalSpan, mask_personal_data
from .normalise import caller_words, normalise
from .spans import TracedText, substitute
from .transcript import Transcript

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class PreparedText:
    """One transcript, ready for the model.

    `masked_text` and `masked_title` are safe to store and show; `personal` tells what was masked
    in the original text; `reading` is the normalised caller's speech with its map back to
    `masked_text`; `headline` is the normalised title; `features` indexes into `reading`.
    """

    masked_text: str
    masked_title: str
    personal: tuple[PersonalSpan, ...]
    reading: TracedText
    headline: str
    features: FeatureText

    @property
    def encoder_text(self) -> str:
        """What the encoder reads, in training as in service: headline, full stop, reading."""
        return f"{self.headline}。{self.reading.text}" if self.headline else self.reading.text

    @property
    def encoder_lead(self) -> int:
        """Characters of `encoder_text` before the reading: position `at` of it is position
        `at - encoder_lead` of `reading`, whose map leads to `masked_text`."""
        return len(self.headline) + 1 if self.headline else 0

    @property
    def n_chars(self) -> int:
        """Letters, digits and ideographs the model can read, title included."""
        return int((self.features.chars != 0).sum())

    @property
    def han_share(self) -> float:
        """Share of those that are Chinese characters."""
        text = "".join(map(chr, self.features.chars))
        return len(_HAN.findall(text)) / max(self.n_chars, 1)


def prepare(transcript: Transcript) -> PreparedText:
    """Mask, normalise and reduce; the labels that replace personal data are not read.

    A word such as 手机号 in a mask would otherwise speak for the telephone companies.
    """
    masked = mask_personal_data(transcript.text)
    title = mask_personal_data(transcript.title).text if transcript.title else ""
    reading = substitute(caller_words(normalise(masked.text)), MASK_PATTERN, " ")
    spoken_title = MASK_PATTERN.sub(" ", normalise(title).text) if title else ""
    return PreparedText(
        masked_text=masked.text,
        masked_title=title,
        personal=masked.spans,
        reading=reading,
        headline=spoken_title,
        features=feature_text(reading.text, spoken_title),
    )
