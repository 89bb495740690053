"""Objects of which too little is seen get no label."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xiaozheng.datasets.scenes.catalogue import PARTS_PER_ACTOR
from xiaozheng.datasets.scenes.description import (
    Actor,
    Appearance,
    Camera,
    Key,
    Light,
    Scene,
    Street,
)
from xiaozheng.datasets.scenes.occlusion import Outlines, outline

CAMERA = Camera((0.0, -9.0, 3.5), (0.0, 0.0, 0.8), 60.0, 320, 180)
STALL = (("colour", "#b02a2a"), ("kind", "umbrella"), ("seed", "12"))


def scene_with(model: str, x: float, y: float, style: tuple[tuple[str, str], ...] = ()) -> Scene:
    actor = Actor("it", (Appearance(-math.inf, model, style),), (Key(0.0, x, y),))
    return Scene(CAMERA, Light(), Street(), (actor,))


def kept(scene: Scene, mask: np.ndarray) -> str | None:
    labels = ["stall", None]
    assert len(labels) == PARTS_PER_ACTOR
    return Outlines().seen(scene, 0.0, mask.astype(np.int32), labels)[0]


@pytest.mark.parametrize(("share", "label"), [(1.0, "stall"), (0.4, "stall"), (0.15, None)])
def test_a_stall_hidden_by_more_than_three_quarters_is_not_labelled(
    share: float, label: str | None
) -> None:
    scene = scene_with("stall", 0.0, 1.5, STALL)
    mask = outline(scene, scene.actors[0])
    assert 800 < mask.sum() < 15_000
    ranks = np.cumsum(mask).reshape(mask.shape)
    mask[ranks > share * mask.sum()] = 0
    assert kept(scene, mask) == label


def test_an_object_mostly_outside_the_picture_is_not_labelled() -> None:
    inside, cut, outside = (scene_with("saloon", x, 0.0) for x in (0.0, 5.5, 7.3))
    masks = [outline(scene, scene.actors[0]) for scene in (inside, cut, outside)]
    assert masks[0].sum() > masks[1].sum() > masks[2].sum() > 0
    assert [kept(s, m) for s, m in zip((inside, cut), masks, strict=False)] == ["stall", "stall"]
    assert kept(outside, masks[2]) is None


def test_what_fills_the_picture_is_labelled_though_most_of_it_is_outside() -> None:
    scene = scene_with("bus", 7.5, -5.2)
    mask = outline(scene, scene.actors[0])
    assert mask.mean() > 0.03
    assert kept(scene, mask) == "stall"
