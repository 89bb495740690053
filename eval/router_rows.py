"""The router benchmark's rows, checked against what the router can answer."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
    model_validator,
)

from ..config.errors import DatasetError, InputError, TranscriptError
from ..datasets.texts import read_rows
from ..nlp.noise import Homophones, SpeechNoise, add_noise, load_homophones, mishear
from ..nlp.transcript import Transcript, check_transcript

MAX_CHARS = 1_000_000
HOMOPHONES_FILE = "asr/same_pinyin.txt"

RouterField = Literal["department", "category"]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class RouterRow(BaseModel):
    """One labelled call. `confidence` is the reader's, 1 (toss-up) to 3 (sure), 0 not given."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, BeforeValidator(_text)] = Field(min_length=1, max_length=128)
    title: str = ""
    text: str
    department: str = ""
    second: str = ""
    category: str = ""
    confidence: int = Field(default=0, ge=0, le=3)

    @model_validator(mode="after")
    def _routable(self) -> Self:
        try:
            check_transcript(Transcript(self.id, self.text, self.title), max_chars=MAX_CHARS)
        except TranscriptError as error:
            raise ValueError(str(error)) from None
        return self


def read_labelled(path: Path, field: RouterField, known: Collection[str] | None) -> list[RouterRow]:
    """All rows of a file; each must carry `field`, with one of the `known` labels if given.

    Raises:
        DatasetError: naming file, line and field.
    """
    shown = ", ".join(sorted(known or ()))

    def label(value: str) -> str:
        if not value:
            raise ValueError("empty")
        if known is not None and value not in known:
            raise ValueError(f"{value!r} is none of the router's labels: {shown}")
        return value

    def label_or_none(value: str) -> str:
        return label(value) if value else value

    checks: dict[str, Any] = {field: (Annotated[str, AfterValidator(label)], ...)}
    if field == "department":
        checks["second"] = (Annotated[str, AfterValidator(label_or_none)], "")
    return read_rows(path, create_model("LabelledRow", __base__=RouterRow, **checks))


def labels_of(rows: Sequence[RouterRow], field: RouterField) -> list[str]:
    """The truth of each row."""
    return [row.department if field == "department" else row.category for row in rows]


def homophones_near(given: Path | None, data: Path, noise: SpeechNoise) -> Homophones:
    """The table of homophones: the one given, else the one in the data's folder.

    Raises:
        InputError: the noise needs one and there is none.
    """
    if not noise.homophone:
        return {}
    path = given or data.parent / HOMOPHONES_FILE
    if not path.is_file():
        raise InputError(
            f"{path}: missing; homophone noise needs a table, give it with --homophones",
            message_zh=f"缺少同音字表 {path}，请用 --homophones 指定",
        )
    return load_homophones(path)


def transcripts(
    rows: Sequence[RouterRow], noise: SpeechNoise, homophones: Homophones, seed: int
) -> list[Transcript]:
    """The rows as calls, with noise where wished.

    Each row's noise depends on seed and id alone. A title is misheard like the text, yet holds no
    fillers and turns; a call of which nothing is left keeps its text.
    """
    if not noise.any:
        return [Transcript(row.id, row.text, row.title) for row in rows]
    found = []
    for row in rows:
        rng = random.Random(f"{seed}/{row.id}")
        title = mishear(row.title, noise.homophone, homophones, rng)
        text = add_noise(row.text, noise, homophones, rng)
        found.append(Transcript(row.id, text if text.strip() else row.text, title))
    return found


def check_no_id_twice(rows: Sequence[RouterRow], path: Path) -> None:
    """Answers are joined to rows by id.

    Raises:
        DatasetError: an id occurs twice.
    """
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise DatasetError(f"{path}: id {row.id} twice", message_zh=f"{path}：id {row.id} 重复")
        seen.add(row.id)
