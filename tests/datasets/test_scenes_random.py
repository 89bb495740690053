"""Random training scenes: one seed, one scene; the mix that training needs."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from xiaozheng.datasets.labels import DETECTOR_LABELS
from xiaozheng.datasets.scenes.bins import BIN_STATES, HEAP_KINDS
from xiaozheng.datasets.scenes.containers import BIN_FORMS
from xiaozheng.datasets.scenes.description import label_of, project
from xiaozheng.datasets.scenes.goods import GOODS
from xiaozheng.datasets.scenes.hawkers import HAWKER_KINDS
from xiaozheng.datasets.scenes.random_scenes import SCENES_PER_STREET, random_film, random_scene
from xiaozheng.datasets.scenes.stalls import STALL_KINDS
from xiaozheng.datasets.scenes.ware import WARE

SEEDS = range(0, 240)


def labels(seed: int) -> set[str]:
    looks = [actor.looks_at(0.0) for actor in random_scene(seed).actors]
    return {name for look in looks if look and (name := label_of(look))}


def test_same_seed_same_scene() -> None:
    assert random_scene(7) == random_scene(7)
    assert random_film(7) == random_film(7)


def test_other_seed_other_scene() -> None:
    assert random_scene(7).actors != random_scene(8).actors
    assert random_scene(7).camera != random_scene(8).camera


def test_neighbouring_seeds_share_a_street_and_blocks_do_not() -> None:
    block = [random_scene(SCENES_PER_STREET * 3 + k).street for k in range(SCENES_PER_STREET)]
    assert len(set(block)) == 1
    assert random_scene(SCENES_PER_STREET * 4).street != block[0]


def test_held_out_seeds_stand_in_other_streets() -> None:
    training = {random_scene(seed).street for seed in range(0, 300, SCENES_PER_STREET)}
    held_out = {random_scene(seed).street for seed in range(90_000, 90_050, SCENES_PER_STREET)}
    assert not training & held_out


def test_cameras_hang_where_cameras_hang() -> None:
    for seed in SEEDS:
        scene = random_scene(seed)
        assert 1.5 <= scene.camera.eye[2] <= 8.0
        x, y = project(scene.camera, [scene.camera.target])[0]
        assert (x, y) == pytest.approx((scene.camera.width / 2, scene.camera.height / 2))


def test_the_mix_has_stalls_and_hard_negatives() -> None:
    seen = [labels(seed) for seed in SEEDS]
    with_stall = sum("stall" in found for found in seen) / len(seen)
    assert 0.6 <= with_stall <= 0.85


def test_every_label_occurs() -> None:
    counts = Counter(name for seed in SEEDS for name in labels(seed))
    assert set(counts) == set(DETECTOR_LABELS)


def test_hours_and_weather_occur() -> None:
    lights = [random_scene(seed).light for seed in range(0, 1200, SCENES_PER_STREET)]
    hours = Counter(light.hour for light in lights)
    assert hours["day"] > hours["dusk"] > 0
    assert hours["day"] > hours["night"] > 0
    assert 0.08 < sum(light.wet for light in lights) / len(lights) < 0.3
    assert 0.1 < sum(light.cloud > 0.5 for light in lights) / len(lights) < 0.4
    assert max(light.haze for light in lights) > 0.7


def test_every_kind_of_stall_bin_heap_and_lookalike_occurs() -> None:
    looks = [a.appearances[0] for seed in range(400) for a in random_scene(seed).actors]
    models = {look.model for look in looks}
    assert models >= set(WARE) - {"bag"}
    for model, key, wanted in (
        ("stall", "kind", STALL_KINDS),
        ("stall", "goods", GOODS),
        ("bin", "form", BIN_FORMS),
        ("bin", "state", set(BIN_STATES) - {"full"}),
        ("heap", "kind", HEAP_KINDS),
    ):
        assert {look.styles().get(key) for look in looks if look.model == model} >= set(wanted)


def test_light_vendors_are_never_alone() -> None:
    for seed in SEEDS:
        actors = random_scene(seed).actors
        people = [a.keys[0] for a in actors if a.appearances[0].model == "person"]
        for actor in actors:
            if actor.appearances[0].styles().get("kind") in HAWKER_KINDS:
                at = actor.keys[0]
                assert min(math.hypot(p.x - at.x, p.y - at.y) for p in people) < 1.6


def test_actor_names_are_unique() -> None:
    for seed in range(30):
        names = [actor.name for actor in random_scene(seed).actors]
        assert len(names) == len(set(names))
