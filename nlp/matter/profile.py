"""One call as it is compared with others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from .grams import Floats, Keys, all_keys, reading


@dataclass(frozen=True, slots=True)
class Place:
    """Where a matter is: names as found (roads, estates, villages), and district and grid where
    they are known. All may be empty."""

    names: tuple[str, ...] = ()
    district: str = ""
    grid: str = ""

    @property
    def known(self) -> bool:
        return bool(self.names or self.district or self.grid)


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call or message; `text` and `title` are masked, `at` is aware."""

    id: str
    text: str
    at: datetime
    title: str = ""
    place: Place = Place()
    department: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A call with its n-grams.

    `keys` (K,) are sorted and `counts` (K,) says how often each stands in title and text;
    `title_keys` are those of the title alone; `embedding` (D,) has unit length, or is None.
    """

    call: Call
    read: str
    keys: Keys
    counts: NDArray[np.int64]
    title_keys: Keys
    embedding: Floats | None = field(default=None, repr=False)


def profile(call: Call, embedding: Floats | None = None) -> Profile:
    """Read a call once."""
    title, body = reading(call.title), reading(call.text)
    read = f"{title}\x00{body}" if title and body else title or body
    keys, counts = all_keys(read)
    return Profile(call, read, keys, counts, all_keys(title)[0], embedding)
