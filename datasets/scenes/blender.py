"""Build a `Scene` in Blender and render it with Cycles; the only stateful part of the renderer.

Importing this module imports bpy (extra ``render``).
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OIDN_SET_AFFINITY", "0")  # pinned denoiser threads starve on a busy machine

import bpy
import numpy as np
from numpy.typing import NDArray

from . import materials
from . import street as street_room
from .catalogue import PARTS_PER_ACTOR, mesh_of, parts_of
from .description import Camera, Light, Scene, Street, ground_m, place_at
from .exr import read_exr
from .meshes import Mesh

Region = tuple[int, int, int, int]
_TREE_VARIANTS = 4
CROWN_CLEARANCE_M = 4.6
_SUN = {"day": (1.0, 0.94, 0.85), "dusk": (1.0, 0.7, 0.5), "night": (0.6, 0.7, 1.0)}
# hour: sky at the horizon, overhead, its grey when covered, strength
_SKY = {
    "day": ("#dcdfe0", "#a3b9d4", "#c4c8cc", 1.2),
    "dusk": ("#b39a98", "#5a6a94", "#6a6c78", 0.42),
    "night": ("#3a3440", "#10121c", "#3c3838", 0.10),
}
_WET = {mat: f"wet{mat}" for mat in ("asphalt", "paving", "kerb", "gutter", "patch", "tactile")}


class Stage:
    """One Blender session holding a street; actors and cameras are swapped on it."""

    def __init__(self, samples: int, workdir: Path) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.workdir = workdir
        self._samples = samples
        self._street: tuple[Street, Light] | None = None
        self._meshes: dict[tuple[str, ...], Any] = {}
        self._actors: list[Any] = []
        self._trees: list[Any] = []
        self._set_cycles(samples)
        camera = bpy.data.cameras.new("camera")
        self.camera = bpy.data.objects.new("camera", camera)
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera

    def _set_cycles(self, samples: int) -> None:
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        render.use_persistent_data = True
        render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
        render.image_settings.color_depth = "32"
        render.image_settings.exr_codec = "NONE"
        cycles.samples = samples
        cycles.use_adaptive_sampling = False
        cycles.use_denoising = True
        cycles.denoising_prefilter = "FAST"
        cycles.denoising_quality = "BALANCED"
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
        cycles.transmission_bounces, cycles.transparent_max_bounces = 0, 3
        cycles.caustics_reflective = cycles.caustics_refractive = False
        # One true bounce, then ambient occlusion: a third cheaper, hardly visible out of doors.
        cycles.use_fast_gi, cycles.ao_bounces_render = True, 1
        cycles.use_light_tree = False
        cycles.sample_clamp_indirect = 3.0
        cycles.pixel_filter_type = "BLACKMAN_HARRIS"
        self.scene.view_layers[0].use_pass_object_index = True
        self.scene.view_layers[0].use_pass_z = True

    def set_street(self, street: Street, light: Light) -> None:
        """Build the static street unless it stands already."""
        if self._street == (street, light):
            return
        keep = {self.camera}
        for item in list(bpy.data.objects):
            if item not in keep:
                bpy.data.objects.remove(item)
        self._actors, self._meshes = [], {}
        for store in (bpy.data.meshes, bpy.data.curves, bpy.data.lights):
            for block in list(store):
                store.remove(block)
        self._street = (street, light)
        built = street_room.build_street(street, light.lamps_lit)
        if light.wet:
            built.mesh.mats = [_WET.get(mat.partition("#")[0], mat) for mat in built.mesh.mats]
        self._link("street", _to_bpy("street", built.mesh))
        trees = [
            _to_bpy(f"tree{k}", street_room.tree(street.seed + k)) for k in range(_TREE_VARIANTS)
        ]
        self._trees = []
        for k, (at, scale) in enumerate(built.trees):
            item = self._link(f"tree-{k}", trees[k % _TREE_VARIANTS])
            item.location, item.rotation_euler, item.scale = at, (0, 0, 1.7 * k), (scale,) * 3
            self._trees.append(item)
        for k, sign in enumerate(built.signs):
            self._sign(k, sign)
        self._light(light, built.lamps if light.lamps_lit else [], street)

    def _link(self, name: str, data: Any) -> Any:
        item = bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(item)
        return item

    def _sign(self, number: int, sign: street_room.SignText) -> None:
        curve = bpy.data.curves.new(f"sign{number}", "FONT")
        curve.body, curve.size, curve.align_x = sign.text, sign.size_m, "CENTER"
        curve.resolution_u = 1
        curve.materials.append(materials.material(f"sign{sign.colour}"))
        item = self._link(f"sign-{number}", curve)
        item.location = sign.at
        item.rotation_euler = (math.pi / 2, 0, math.radians(sign.facing_deg))

    def _light(self, light: Light, lamps: list[tuple[float, float, float]], street: Street) -> None:
        sun = bpy.data.lights.new("sun", "SUN")
        energy = {"day": 4.2, "dusk": 0.35, "night": 0.012}[light.hour]
        sun.energy = energy * (1 - 0.75 * light.haze) * (1 - 0.93 * light.cloud)
        sun.angle = 0.01 + 0.35 * light.haze**2 + 0.5 * light.cloud**2
        sun.color = _SUN[light.hour]
        item = self._link("sun", sun)
        item.rotation_euler = (
            math.radians(90 - light.sun_height_deg),
            0,
            math.radians(light.sun_azimuth_deg),
        )
        night = light.hour == "night"
        near = sorted(lamps, key=lambda p: math.hypot(p[0], p[1]))[: 5 if night else 4]
        for k, at in enumerate(near):
            lamp = bpy.data.lights.new(f"lamp{k}", "SPOT")
            lamp.energy, lamp.color, lamp.spot_size = 900.0, (1.0, 0.82, 0.6), math.radians(140)
            lamp.shadow_soft_size, lamp.spot_blend = 0.25, 0.6
            self._link(f"lamp-{k}", lamp).location = at
        if night:
            self._shop_glow(street)
        self._sky(light)

    def _shop_glow(self, street: Street) -> None:
        """What lit shop windows throw on the pavement by night."""
        glow = bpy.data.lights.new("shops", "AREA")
        glow.shape, glow.size, glow.size_y = "RECTANGLE", 36.0, 1.4
        glow.energy, glow.color = 520.0, (1.0, 0.88, 0.7)
        item = self._link("shops", glow)
        item.location = (0.0, street.pavement_m + 0.3, 2.3)
        item.rotation_euler = (math.radians(-62), 0, 0)

    def _sky(self, light: Light) -> None:
        world = bpy.data.worlds.get("sky") or bpy.data.worlds.new("sky")
        self.scene.world = world
        world.use_nodes = True
        world.cycles.sampling_method = "NONE"
        tree = world.node_tree
        tree.nodes.clear()
        where = tree.nodes.new("ShaderNodeTexCoord")
        split = tree.nodes.new("ShaderNodeSeparateXYZ")
        ramp = tree.nodes.new("ShaderNodeValToRGB")
        back = tree.nodes.new("ShaderNodeBackground")
        out = tree.nodes.new("ShaderNodeOutputWorld")
        tree.links.new(where.outputs["Generated"], split.inputs[0])
        tree.links.new(split.outputs["Z"], ramp.inputs[0])
        tree.links.new(ramp.outputs[0], back.inputs[0])
        tree.links.new(back.outputs[0], out.inputs[0])
        low, high, cover, strength = _SKY[light.hour]
        grey = materials.linear(cover)
        veil = max(light.haze, light.cloud)
        for k, tint in enumerate((low, high)):
            mixed = [
                a * (1 - veil) + b * veil for a, b in zip(materials.linear(tint), grey, strict=True)
            ]
            ramp.color_ramp.elements[k].color = mixed
        ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.0, 0.55
        back.inputs[1].default_value = strength
        air = np.array(ramp.color_ramp.elements[0].color[:3]) * strength
        self._air: NDArray[np.float32] = air.astype(np.float32)

    def aim(self, camera: Camera) -> None:
        """Place the camera and set the picture size."""
        self.camera.location = camera.eye
        # Nobody mounts a camera inside a crown: such trees are felled for this view.
        for item in self._trees:
            away = math.hypot(item.location[0] - camera.eye[0], item.location[1] - camera.eye[1])
            item.hide_render = away < CROWN_CLEARANCE_M
        ahead = np.array(camera.target) - np.array(camera.eye)
        self.camera.rotation_euler = (
            math.atan2(math.hypot(ahead[0], ahead[1]), -ahead[2]),
            0,
            math.atan2(ahead[1], ahead[0]) - math.pi / 2,
        )
        self.camera.data.angle = math.radians(camera.fov_deg)
        render = self.scene.render
        render.resolution_x, render.resolution_y = camera.width, camera.height

    def pose(self, scene: Scene, t_s: float) -> list[str | None]:
        """Put the actors where they are at `t_s`; returns the label of each index 1, 2, …

        Indices are stable over time: actor k owns PARTS_PER_ACTOR of them, absent parts are None.
        """
        labels: list[str | None] = [None] * (PARTS_PER_ACTOR * len(scene.actors))
        used = 0
        for number, actor in enumerate(scene.actors):
            shown = actor.looks_at(t_s)
            if shown is None:
                continue
            place = place_at(actor, t_s)
            lift = float(shown.styles().get("lift", "0"))
            at = (place.x, place.y, ground_m(scene.street, place.y) + lift)
            for k, part in enumerate(parts_of(shown, place)):
                slot = PARTS_PER_ACTOR * number + k
                labels[slot] = part.label
                item = self._object(used, self._mesh(part.key))
                item.location, item.rotation_euler = at, (0, 0, math.radians(place.heading_deg))
                item.pass_index = slot + 1
                used += 1
        for item in self._actors[used:]:
            item.hide_render = True
        return labels

    def _object(self, number: int, data: Any) -> Any:
        if number == len(self._actors):
            self._actors.append(self._link(f"actor-{number}", data))
        item = self._actors[number]
        item.hide_render = False
        if item.data is not data:
            item.data = data
        return item

    def _mesh(self, key: tuple[str, ...]) -> Any:
        if key not in self._meshes:
            self._meshes[key] = _to_bpy("/".join(key)[:60], mesh_of(key))
        return self._meshes[key]

    def shoot(
        self, haze: float = 0.0, region: Region | None = None, samples: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Render the picture or only `region` (x0, y0, x1, y1 in pixels, y down).

        Returns linear RGB (h, w, 3) with `haze` 0–1 in the air, and the object index (h, w),
        0 for the street.
        """
        render = self.scene.render
        wide, high = render.resolution_x, render.resolution_y
        render.use_border = render.use_crop_to_border = region is not None
        if region is not None:
            x0, y0, x1, y1 = region
            # Blender truncates border · size; a hundredth of a pixel keeps rounding from slipping.
            render.border_min_x, render.border_max_x = (x0 + 0.01) / wide, (x1 + 0.01) / wide
            render.border_min_y = (high - y1 + 0.01) / high
            render.border_max_y = (high - y0 + 0.01) / high
        path = self.workdir / "frame.exr"
        render.filepath = str(path)
        self.scene.cycles.samples = samples or self._samples
        with _silence():
            bpy.ops.render.render(write_still=True)
        planes = read_exr(path)
        named = {name.split(".", 1)[-1]: plane for name, plane in planes.items()}
        rgb = np.stack([named[f"Combined.{c}"] for c in "RGB"], axis=-1)
        index_name = next(name for name in named if name.startswith(("IndexOB", "Object Index")))
        depth = named[next(name for name in named if name.startswith("Depth"))]
        clear = np.exp(-np.minimum(depth, 400.0) * (0.0006 + 0.006 * haze))[..., None]
        rgb = rgb * clear + self._air * (1 - clear)
        return rgb.astype(np.float32), np.rint(named[index_name]).astype(np.int32)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Blender's progress lines off standard output."""
    sys.stdout.flush()
    saved, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(sink)


def _to_bpy(name: str, mesh: Mesh) -> Any:
    data = bpy.data.meshes.new(name)
    data.from_pydata(mesh.points().tolist(), [], mesh.faces)
    slots = {mat: k for k, mat in enumerate(dict.fromkeys(mesh.mats))}
    for mat in slots:
        data.materials.append(materials.material(mat))
    data.polygons.foreach_set("material_index", [slots[mat] for mat in mesh.mats])
    data.polygons.foreach_set("use_smooth", [True] * len(mesh.faces))
    data.update()
    data.set_sharp_from_angle(angle=math.radians(38))
    return data
