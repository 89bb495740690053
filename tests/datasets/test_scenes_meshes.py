"""Every model builds into sound geometry of believable size."""

from __future__ import annotations

import re

import numpy as np
import pytest

from xiaozheng.datasets.scenes.bins import BIN_STATES, HEAP_KINDS
from xiaozheng.datasets.scenes.catalogue import mesh_of, parts_of
from xiaozheng.datasets.scenes.containers import BIN_FORMS
from xiaozheng.datasets.scenes.description import Appearance, Place, Street
from xiaozheng.datasets.scenes.goods import GOODS
from xiaozheng.datasets.scenes.hawkers import HAWKER_KINDS
from xiaozheng.datasets.scenes.meshes import (
    Mesh,
    box,
    ellipsoid,
    lathe,
    rotation_z,
    rounded_ring,
    smooth_curve,
)
from xiaozheng.datasets.scenes.people import POSES
from xiaozheng.datasets.scenes.stalls import STALL_KINDS
from xiaozheng.datasets.scenes.street import build_street, tree
from xiaozheng.datasets.scenes.ware import WARE

RED = "colour=#a02020"
MODELS = [
    *[(m, RED) for m in ("saloon", "suv", "van", "truck", "bus", "ebike", "bicycle", "tricycle")],
    ("tricycle", RED, "load=boxes", "canopy=#2a5aa0"),
    ("rider", "on=ebike", "hat=helmet"),
    *[
        ("bin", RED, f"form={form}", f"state={state}", "seed=3")
        for form in BIN_FORMS[1:]
        for state in ("closed", "tight", "filling", "overflowing")
    ],
    *[("stall", RED, "kind=umbrella", f"goods={g}", "seed=40") for g in GOODS],
    *[("stall", RED, f"kind={kind}", "seed=21") for kind in HAWKER_KINDS],
    *[("heap", "seed=4", f"kind={kind}") for kind in HEAP_KINDS],
    *[(model, RED, "seed=2") for model in WARE],
    *[("bin", RED, f"state={state}", "seed=3") for state in BIN_STATES],
    *[
        ("stall", RED, f"kind={kind}", f"goods={g}")
        for kind in STALL_KINDS
        for g in ("fruit", "books")
    ],
    ("stall", RED, "kind=umbrella", "shade=no"),
    *[("person", f"pose={pose}") for pose in (*POSES, "walk:0", "walk:5", "push:2")],
    *[
        ("person", "pose=stand", f"extra={e}")
        for e in ("bag", "backpack", "apron", "skirt", "vest")
    ],
    ("heap", "seed=4"),
]


def size_of(mesh: Mesh) -> np.ndarray:
    points = mesh.points()
    return points.max(axis=0) - points.min(axis=0)


@pytest.mark.parametrize("key", MODELS, ids="/".join)
def test_model_is_sound(key: tuple[str, ...]) -> None:
    mesh = mesh_of(key)
    points = mesh.points()
    assert np.isfinite(points).all()
    assert len(points) == mesh.count
    assert len(mesh.faces) == len(mesh.mats) > 0
    assert max(max(face) for face in mesh.faces) < mesh.count
    assert all(len(face) >= 3 for face in mesh.faces)


@pytest.mark.parametrize("key", MODELS, ids="/".join)
def test_materials_are_named_as_agreed(key: tuple[str, ...]) -> None:
    for mat in set(mesh_of(key).mats):
        assert re.fullmatch(r"[a-z]+(#[0-9a-f]{6})?(:[0-9.]+)?", mat), mat


@pytest.mark.parametrize(
    ("model", "length_m", "width_m", "height_m"),
    [
        ("saloon", (4.4, 4.9), (1.7, 2.3), (1.4, 1.55)),
        ("suv", (4.4, 4.9), (1.8, 2.4), (1.6, 1.8)),
        ("van", (3.8, 4.2), (1.5, 2.1), (1.8, 2.0)),
        ("truck", (5.5, 6.5), (2.0, 2.6), (2.6, 3.1)),
        ("bus", (10.0, 11.0), (2.4, 2.8), (2.8, 3.2)),
        ("tricycle", (2.5, 3.2), (0.9, 1.3), (1.0, 1.4)),
    ],
)
def test_vehicles_have_real_sizes(
    model: str,
    length_m: tuple[float, float],
    width_m: tuple[float, float],
    height_m: tuple[float, float],
) -> None:
    size = size_of(mesh_of((model, RED)))
    for got, (low, high) in zip(size, (length_m, width_m, height_m), strict=True):
        assert low <= got <= high


@pytest.mark.parametrize("model", ["saloon", "suv", "van", "truck", "bus", "ebike", "bicycle"])
def test_wheels_touch_the_ground(model: str) -> None:
    assert mesh_of((model, RED)).points()[:, 2].min() == pytest.approx(0.0, abs=0.03)


def test_a_car_has_glass_tyres_lamps_and_paint() -> None:
    kinds = {mat.split("#")[0] for mat in mesh_of(("saloon", RED)).mats}
    assert {"glass", "tyre", "rim", "lamp", "tail", "paint"} <= kinds


def test_overflowing_bin_stands_higher_than_a_closed_one() -> None:
    closed = size_of(mesh_of(("bin", RED, "state=closed")))[2]
    heaped = size_of(mesh_of(("bin", RED, "state=overflowing", "seed=4")))[2]
    assert closed == pytest.approx(1.06, abs=0.05)
    assert heaped > closed + 0.2


@pytest.mark.parametrize("form", ["240", "660"])
def test_a_bin_full_under_its_lid_is_hardly_higher(form: str) -> None:
    keys = [("bin", RED, f"form={form}", f"state={s}") for s in ("closed", "tight", "overflowing")]
    closed, tight, heaped = (size_of(mesh_of(key))[2] for key in keys)
    assert closed < tight < closed + 0.15 < heaped


@pytest.mark.parametrize(("form", "rim_m"), [("240", 0.99), ("660", 1.05)])
def test_only_an_overflowing_bin_shows_bags_above_its_rim(form: str, rim_m: float) -> None:
    for state in ("open", "tight", "filling"):
        assert max(bag_top(form, state, seed) for seed in range(6)) < rim_m + 0.1
    assert min(bag_top(form, "overflowing", seed) for seed in range(6)) > rim_m + 0.2


def bag_top(form: str, state: str, seed: int) -> float:
    """Height of the highest point of a rubbish bag in a bin; 0 without bags."""
    mesh = mesh_of(("bin", RED, f"form={form}", f"state={state}", f"seed={seed}"))
    bags = [f for f, mat in zip(mesh.faces, mesh.mats, strict=True) if mat.startswith("bag")]
    heights = mesh.points()[:, 2]
    return max((float(heights[list(face)].max()) for face in bags), default=0.0)


def test_people_stand_as_tall_as_asked() -> None:
    tall = size_of(mesh_of(("person", "pose=stand", "height_m=1.85")))[2]
    small = size_of(mesh_of(("person", "pose=stand", "height_m=1.20")))[2]
    assert tall == pytest.approx(1.85, abs=0.12)
    assert small == pytest.approx(1.20, abs=0.10)


def test_walking_people_stride_and_waiting_ones_stand() -> None:
    appearance = Appearance(0.0, "person", (("top", "#203040"),))
    walking = parts_of(appearance, Place(0, 0, 0, 0.8, True))[0]
    waiting = parts_of(appearance, Place(0, 0, 0, 0.8, False))[0]
    assert any(item.startswith("pose=walk:") for item in walking.key)
    assert "pose=stand" in waiting.key


def test_a_rider_is_a_person_of_its_own() -> None:
    appearance = Appearance(0.0, "ebike", (("colour", "#203040"), ("rider", "yes")))
    labels = [part.label for part in parts_of(appearance, Place(0, 0, 0, 0, True))]
    assert labels == ["motorcycle", "person"]


def test_unknown_model_is_refused() -> None:
    with pytest.raises(KeyError, match="no such model: ufo"):
        mesh_of(("ufo",))


def test_same_seed_same_street_other_seed_other_street() -> None:
    first = build_street(Street(seed=5), lit=False)
    again = build_street(Street(seed=5), lit=False)
    other = build_street(Street(seed=6), lit=False)
    assert np.array_equal(first.mesh.points(), again.mesh.points())
    assert [s.text for s in first.signs] == [s.text for s in again.signs]
    assert [s.text for s in first.signs] != [s.text for s in other.signs]


def test_lamps_and_lit_windows_belong_to_dusk() -> None:
    day, dusk = (build_street(Street(seed=5), lit=d) for d in (False, True))
    assert not any(mat.startswith("emit") for mat in day.mesh.mats)
    assert any(mat.startswith("emit") for mat in dusk.mesh.mats)
    assert dusk.lamps


def test_street_options_are_honoured() -> None:
    bare = build_street(Street(seed=5, trees=False, zebra_x=None, bollards=False), lit=False)
    assert bare.trees == []
    planted = build_street(Street(seed=5, trees=True), lit=False)
    assert len(planted.trees) > 10


def test_tree_crown_is_above_the_trunk() -> None:
    mesh = tree(3)
    points = mesh.points()
    leaf_faces = [f for f, m in zip(mesh.faces, mesh.mats, strict=True) if m.startswith("leaf")]
    heights = points[[f[0] for f in leaf_faces], 2]
    assert np.median(heights) > 3.0
    assert points[:, 2].min() == pytest.approx(0.0, abs=0.02)


def test_bevelled_box_keeps_its_size() -> None:
    mesh = Mesh()
    box(mesh, (1.0, 2.0, 3.0), (0.4, 0.6, 0.8), "black", 0.05)
    assert size_of(mesh) == pytest.approx([0.4, 0.6, 0.8])
    assert mesh.points().mean(axis=0) == pytest.approx([1.0, 2.0, 3.0])
    assert len(mesh.faces) == 26


def test_lathe_and_ellipsoid_radii() -> None:
    mesh = Mesh()
    lathe(mesh, [(0.5, 0.0), (0.5, 1.0)], "black", segments=16)
    assert size_of(mesh) == pytest.approx([1.0, 1.0, 1.0], abs=0.02)
    ball = Mesh()
    ellipsoid(ball, (0, 0, 0), (1.0, 2.0, 3.0), "black", segments=16, rows=8)
    assert size_of(ball) == pytest.approx([2.0, 4.0, 6.0], abs=0.02)


def test_put_turns_scales_and_moves() -> None:
    mesh, part = Mesh(), Mesh()
    part.add(np.array([(1.0, 0.0, 0.0), (2.0, 0.0, 0.0), (2.0, 1.0, 0.0)]), [(0, 1, 2)], "black")
    mesh.put(part, (10.0, 0.0, 1.0), 90.0, 2.0)
    assert mesh.points()[0] == pytest.approx([10.0, 2.0, 1.0])
    assert rotation_z(90.0) @ np.array([1.0, 0.0, 0.0]) == pytest.approx([0.0, 1.0, 0.0])


def test_smooth_curve_meets_knots_and_stays_monotone() -> None:
    knots = ((0.0, 0.0), (1.0, 0.1), (2.0, 2.0), (3.0, 2.1))
    assert smooth_curve(knots, np.array([0.0, 1.0, 2.0, 3.0])) == pytest.approx([0, 0.1, 2.0, 2.1])
    assert (np.diff(smooth_curve(knots, np.linspace(0, 3, 100))) >= -1e-9).all()


def test_rounded_ring_fits_its_rectangle() -> None:
    ring = rounded_ring(0.3, 0.2, 0.05)
    assert np.abs(ring).max(axis=0) == pytest.approx([0.3, 0.2])
