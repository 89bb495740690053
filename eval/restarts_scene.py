"""Drawn streets for the restart test: coloured blocks that come, stand and go.

Every picture follows from the seed, so that an undisturbed run and a disturbed one see the same.
The blocks have the colours that the test detector (`tests/fixtures/shelf`) knows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, CELL = 640, 384, 64
BGR = {"car": (0, 0, 255), "overflowing_bin": (255, 255, 0), "garbage": (0, 255, 255)}
COLUMNS = {"car": range(0, 4), "overflowing_bin": range(5, 7), "garbage": range(8, 10)}
ROWS = range(1, 5)
MISSED_SHARE = 0.05
BLACK_EVERY_S, BLACK_FOR_S = 150, 16


@dataclass(frozen=True, slots=True)
class Stay:
    """A block of one colour in one cell, from `start` to before `end` in seconds."""

    label: str
    column: int
    row: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scene:
    """One camera's minutes: what stands where, when it is missed, when the lens is covered."""

    camera_id: str
    seconds: int
    stays: tuple[Stay, ...]
    missed: frozenset[tuple[str, int]]
    black: frozenset[int]

    def jpeg(self, second: int) -> bytes:
        """The picture of one second."""
        image = _street(self.camera_id)
        if second in self.black:
            image[:] = 3
        else:
            for stay in self.stays:
                if stay.start <= second < stay.end and (stay.label, second) not in self.missed:
                    y, x = stay.row * CELL, stay.column * CELL
                    image[y : y + CELL, x : x + CELL] = BGR[stay.label]
        return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def _street(camera_id: str) -> NDArray[np.uint8]:
    """Grey house fronts, the same whenever this camera is looked through: a view of its own, by
    which the health watch knows the camera again."""
    dice = random.Random(camera_id)
    image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    for _ in range(120):
        x, y = dice.randrange(WIDTH), dice.randrange(HEIGHT)
        grey = dice.randint(70, 150)
        size = (dice.randint(10, 60), dice.randint(10, 60))
        cv2.rectangle(image, (x, y), (x + size[0], y + size[1]), (grey, grey, grey), -1)
    return image


def draw_up(camera_id: str, seconds: int, seed: int) -> Scene:
    """A scene of which nothing is left to chance but the seed."""
    dice = random.Random(f"{seed}/{camera_id}")
    stays = tuple(stay for label in BGR for stay in _stays(label, seconds, dice))
    missed = frozenset(
        (label, second)
        for label in BGR
        for second in range(seconds)
        if dice.random() < MISSED_SHARE
    )
    black = frozenset(
        second
        for begin in range(BLACK_EVERY_S, seconds - BLACK_FOR_S, BLACK_EVERY_S)
        for second in range(begin, begin + BLACK_FOR_S)
    )
    return Scene(camera_id, seconds, stays, missed, black)


def _stays(label: str, seconds: int, dice: random.Random) -> Iterator[Stay]:
    """One after the other, each elsewhere; some leave before they would be reported."""
    second = dice.randint(2, 20)
    column, row = -1, -1
    while second < seconds - 20:
        places = [(c, r) for c in COLUMNS[label] for r in ROWS if (c, r) != (column, row)]
        column, row = dice.choice(places)
        end = second + dice.randint(6, 45)
        yield Stay(label, column, row, second, end)
        second = end + dice.randint(25, 45)


def cameras_of(scenes: list[Scene]) -> dict[str, Any]:
    """A `cameras.yaml` for the scenes. Drawn pictures stand still, so that is no fault here, and
    silence, which is judged by the wall clock, would differ from run to run."""
    return {
        "cameras": [
            {
                "id": scene.camera_id,
                "zones": [
                    _zone("kerb", 0.0, 0.5, "illegal_parking"),
                    _zone("yard", 0.5, 1.0, "bin_overflow", "exposed_garbage"),
                ],
                "health": {
                    "no_signal_s": None,
                    "frozen_s": None,
                    "blurred_s": None,
                    "moved_s": None,
                },
            }
            for scene in scenes
        ]
    }


def _zone(name: str, left: float, right: float, *kinds: str) -> dict[str, Any]:
    polygon = [[left, 0], [right, 0], [right, 1], [left, 1]]
    return {"id": name, "polygon": polygon, "forbids": list(kinds), "dwell_s": 10}
