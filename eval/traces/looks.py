"""Appearance of simulated things: what `vision.appearance` would say of their boxes.

A model of descriptors, not of pictures. Each thing has a descriptor of its own, part of it shared
by all that one camera sees; each sighting mixes in noise that changes with every frame, noise that
wanders over minutes, what stands before the thing, and the colour of the lamps by night. Shares
were set so that similarities agree with those measured on real clips: see docs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...vision.appearance import EDGES, GREYS, HALF_BYTES, HUES, LOOK_BYTES, MIN_SCORE, Looks
from .seeing import Light, Sightings
from .things import Thing, inside
from .view import Floats

# The service looks at pictures of half the width, 640 px, and leaves out boxes below 4 px inside.
LEAST_PX = 10.0
COLOUR_SUM, EDGE_SUM = 170.0, 85.0
# Dirichlet weights of each bin: the smaller, the fewer of them a thing has.
HUE_WEIGHT, GREY_WEIGHT, EDGE_WEIGHT = 0.05, 0.25, 1.5
# How much of a thing's descriptor is that of its street, whose light and ground all boxes share.
CAMERA_SHARES = (0.05, 0.6)
KIN_SHARE = 0.75
FAST, SLOW, SPREAD = 0.12, 0.08, 0.6
WANDER_S = 120.0
LAMP_SHARE, LAMP_SPREAD = 0.25, 0.2
DIM_SHARE = 0.08
NOISES = 256


def looks_of_sightings(
    things: Sequence[Thing], seen: Sightings, times: Floats, light: Light, rng: np.random.Generator
) -> Looks:
    """Descriptors (N, 48), one row per box of `seen`; zeros where the service would have none."""
    scene, lamps = _draw(rng, 2)
    own = _of_things(things, scene, rng)
    noises = (_draw(rng, NOISES) + scene) / 2
    frame = np.repeat(np.arange(len(times)), np.diff(seen.first))
    thing, count = seen.thing, len(seen.score)
    restless = np.exp(rng.normal(0, SPREAD, len(things)))[thing]
    found = _mixed(own[thing], noises[rng.integers(0, NOISES, count)], FAST * restless)
    span = (times[frame] // WANDER_S).astype(np.int64)
    found = _mixed(found, noises[(thing * 31 + span * 17) % NOISES], SLOW * restless)
    lit = np.clip(rng.normal(LAMP_SHARE, LAMP_SPREAD, len(things)), 0.1, 0.95)[thing]
    found = _mixed(found, lamps, lit * inside(times, light.nights)[frame])
    found = _mixed(found, scene, DIM_SHARE * inside(times, light.dim)[frame])
    found = _mixed(found, own[np.maximum(seen.hider, 0)], seen.hidden)
    width, height = (seen.xyxy[:, 2:] - seen.xyxy[:, :2]).T
    known = (seen.score >= MIN_SCORE) & (np.minimum(width, height) >= LEAST_PX)
    return np.where(known[:, None], np.round(found), 0).astype(np.uint8)


def _of_things(things: Sequence[Thing], scene: Floats, rng: np.random.Generator) -> Floats:
    """One descriptor per thing; of those that are the same thing in another state, nearly one."""
    own = _mixed(_draw(rng, len(things)), scene, rng.uniform(*CAMERA_SHARES, len(things)))
    for number, thing in enumerate(things):
        if thing.kin is not None:
            changed = 1 - KIN_SHARE if thing.size != things[thing.kin].size else 0.0
            own[number] = changed * own[number] + (1 - changed) * own[thing.kin]
    return own


def _mixed(base: Floats, other: Floats, share: NDArray[np.floating]) -> Floats:
    """`share` (N,) of another descriptor in each row."""
    part = np.clip(share, 0.0, 1.0)[:, None]
    return np.asarray(base * (1 - part) + other * part)


def _draw(rng: np.random.Generator, count: int) -> Floats:
    """Random descriptors: two halves, each of hues and greys, and of edge directions."""
    drawn = np.zeros((count, LOOK_BYTES))
    weights = [HUE_WEIGHT] * HUES + [GREY_WEIGHT] * GREYS
    for low in (0, HALF_BYTES):
        drawn[:, low : low + HUES + GREYS] = COLOUR_SUM * rng.dirichlet(weights, count)
        edges = rng.dirichlet([EDGE_WEIGHT] * EDGES, count)
        drawn[:, low + HUES + GREYS : low + HALF_BYTES] = EDGE_SUM * edges
    return drawn
