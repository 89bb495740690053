"""Material names → Cycles shaders: ``kind``, ``kind#rrggbb`` or ``emit#rrggbb:strength``."""

from __future__ import annotations

from typing import Any

import bpy

# kind: (base colour or None, roughness, metallic, specular, coat)
_PLAIN: dict[str, tuple[str | None, float, float, float, float]] = {
    "paint": (None, 0.32, 0.15, 0.5, 0.7),
    "glass": ("#0c1114", 0.06, 0.0, 0.9, 0.0),
    "tyre": ("#17171a", 0.85, 0.0, 0.3, 0.0),
    "rim": ("#9da2a8", 0.35, 0.85, 0.5, 0.0),
    "chrome": ("#c4c8cc", 0.2, 0.9, 0.5, 0.0),
    "black": ("#121214", 0.6, 0.0, 0.35, 0.0),
    "lamp": ("#d8dcdf", 0.1, 0.1, 0.9, 0.6),
    "tail": ("#7a0c0c", 0.2, 0.0, 0.7, 0.4),
    "cloth": (None, 0.92, 0.0, 0.15, 0.0),
    "plastic": (None, 0.48, 0.0, 0.4, 0.0),
    "metal": (None, 0.42, 0.55, 0.5, 0.0),
    "skin": (None, 0.6, 0.0, 0.3, 0.0),
    "bag": (None, 0.34, 0.0, 0.5, 0.0),
    "cardboard": ("#a5835a", 0.9, 0.0, 0.2, 0.0),
    "wood": (None, 0.75, 0.0, 0.3, 0.0),
    "leaf": (None, 0.6, 0.0, 0.3, 0.0),
    "bark": ("#5a4c3e", 0.95, 0.0, 0.1, 0.0),
    "whitewash": ("#d0cdc4", 0.9, 0.0, 0.1, 0.0),
    "soil": ("#4a3d30", 1.0, 0.0, 0.1, 0.0),
    "iron": ("#35322f", 0.6, 0.5, 0.4, 0.0),
    "inside": (None, 0.95, 0.0, 0.1, 0.0),
    "sign": (None, 0.55, 0.0, 0.4, 0.0),
    "gutter": ("#5d5c5a", 0.85, 0.0, 0.3, 0.0),
    "patch": ("#4b4b4c", 0.9, 0.0, 0.3, 0.0),
}
# kind: (dark, light, noise scale 1/m)
_NOISY: dict[str, tuple[str, str, float]] = {
    "asphalt": ("#515153", "#6c6b69", 1.1),
    "kerb": ("#85827c", "#a8a49c", 3.0),
    "paving": ("#8a8178", "#a69d92", 0.8),
    "tactile": ("#a88730", "#c4a348", 2.0),
}


def linear(hex_colour: str) -> tuple[float, float, float, float]:
    """#rrggbb in sRGB → linear RGBA."""
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return (r, g, b, 1.0)


def material(name: str) -> Any:
    """The bpy material called `name`, made on first use."""
    found = bpy.data.materials.get(name)
    if found is not None:
        return found
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    tree = made.node_tree
    tree.nodes.clear()
    kind, _, rest = name.partition("#")
    if kind == "emit":
        colour, _, strength = rest.partition(":")
        node = tree.nodes.new("ShaderNodeEmission")
        node.inputs["Color"].default_value = linear(f"#{colour}")
        node.inputs["Strength"].default_value = float(strength or 1)
        _out(tree, node.outputs[0])
        made.cycles.emission_sampling = "NONE"
    elif kind == "window":
        _window(tree)
    elif kind == "wall":
        _wall(tree, f"#{rest}")
    elif kind == "marking":
        _marking(tree, f"#{rest}")
    elif kind.startswith("wet"):
        _wet(tree, kind.removeprefix("wet"))
    elif kind in _NOISY:
        _noisy(tree, kind)
    else:
        _plain(tree, kind, f"#{rest}" if rest else None)
    return made


def _out(tree: Any, socket: Any) -> None:
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(socket, out.inputs["Surface"])


def _principled(
    tree: Any, roughness: float, metallic: float = 0.0, specular: float = 0.3, coat: float = 0.0
) -> Any:
    node = tree.nodes.new("ShaderNodeBsdfPrincipled")
    node.inputs["Roughness"].default_value = roughness
    node.inputs["Metallic"].default_value = metallic
    node.inputs["Specular IOR Level"].default_value = specular
    node.inputs["Coat Weight"].default_value = coat
    node.inputs["Coat Roughness"].default_value = 0.06
    _out(tree, node.outputs[0])
    return node


def _matt(tree: Any) -> Any:
    """Plain diffuse: one closure, twice as fast as the principled shader."""
    node = tree.nodes.new("ShaderNodeBsdfDiffuse")
    _out(tree, node.outputs[0])
    return node


def _plain(tree: Any, kind: str, colour: str | None) -> None:
    base, roughness, metallic, specular, coat = _PLAIN[kind]
    shown = base or colour
    if shown is None:
        raise ValueError(f"material {kind} needs a colour")
    if roughness >= 0.6 and metallic == 0.0:
        _matt(tree).inputs["Color"].default_value = linear(shown)
        return
    node = _principled(tree, roughness, metallic, specular, coat)
    node.inputs["Base Color"].default_value = linear(shown)


def _noise(tree: Any, scale: float, detail: float = 2.0) -> Any:
    where = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    noise.inputs["Roughness"].default_value = 0.7
    tree.links.new(where.outputs["Object"], noise.inputs["Vector"])
    return noise


def _mix(tree: Any, factor: Any, low: str, high: str) -> Any:
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.3, 0.7
    ramp.color_ramp.elements[0].color = linear(low)
    ramp.color_ramp.elements[1].color = linear(high)
    tree.links.new(factor, ramp.inputs[0])
    return ramp.outputs[0]


def _noisy(tree: Any, kind: str) -> None:
    low, high, scale = _NOISY[kind]
    node = _matt(tree)
    noise = _noise(tree, scale, 3.0)
    colour = _mix(tree, noise.outputs[0], low, high)
    if kind in ("paving", "tactile"):
        colour = _tiles(tree, colour, 0.2 if kind == "paving" else 0.3)
    tree.links.new(colour, node.inputs["Color"])


def _wet(tree: Any, kind: str) -> None:
    """Ground after rain: darker, and mirroring where a slow noise says that water stands."""
    base = _PLAIN[kind][0] if kind in _PLAIN else None
    low, high, scale = _NOISY.get(kind, (base or "#4b4b4c", base or "#4b4b4c", 1.0))
    node = _principled(tree, 0.4, specular=0.5)
    colour = _mix(tree, _noise(tree, scale, 3.0).outputs[0], _dim(low, 0.62), _dim(high, 0.62))
    if kind in ("paving", "tactile"):
        colour = _tiles(tree, colour, 0.2 if kind == "paving" else 0.3)
    tree.links.new(colour, node.inputs["Base Color"])
    puddles = tree.nodes.new("ShaderNodeMapRange")
    for name, value in (("From Min", 0.42), ("From Max", 0.58), ("To Min", 0.05), ("To Max", 0.5)):
        puddles.inputs[name].default_value = value
    tree.links.new(_noise(tree, 0.28, 2.0).outputs[0], puddles.inputs["Value"])
    tree.links.new(puddles.outputs[0], node.inputs["Roughness"])


def _dim(hex_colour: str, share: float) -> str:
    return "#" + "".join(f"{int(int(hex_colour[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))


def _tiles(tree: Any, colour: Any, size_m: float) -> Any:
    where = tree.nodes.new("ShaderNodeTexCoord")
    brick = tree.nodes.new("ShaderNodeTexBrick")
    brick.inputs["Scale"].default_value = 1.0
    brick.inputs["Brick Width"].default_value = size_m * 2
    brick.inputs["Row Height"].default_value = size_m
    brick.inputs["Mortar Size"].default_value = 0.012
    brick.inputs["Color1"].default_value = (1, 1, 1, 1)
    brick.inputs["Color2"].default_value = (0.78, 0.76, 0.74, 1)
    brick.inputs["Mortar"].default_value = (0.5, 0.48, 0.46, 1)
    tree.links.new(where.outputs["Object"], brick.inputs["Vector"])
    multiply = tree.nodes.new("ShaderNodeMix")
    multiply.data_type, multiply.blend_type = "RGBA", "MULTIPLY"
    multiply.inputs["Factor"].default_value = 1.0
    tree.links.new(colour, multiply.inputs["A"])
    tree.links.new(brick.outputs["Color"], multiply.inputs["B"])
    return multiply.outputs["Result"]


def _wall(tree: Any, colour: str) -> None:
    node = _matt(tree)
    noise = _noise(tree, 0.35, 2.0)
    tree.links.new(_mix(tree, noise.outputs[0], _dim(colour, 0.77), colour), node.inputs["Color"])


def _marking(tree: Any, colour: str) -> None:
    node = _matt(tree)
    noise = _noise(tree, 6.0, 1.0)
    tree.links.new(_mix(tree, noise.outputs[0], "#78756f", colour), node.inputs["Color"])
    tree.nodes["Color Ramp"].color_ramp.elements[0].position = 0.34
    tree.nodes["Color Ramp"].color_ramp.elements[1].position = 0.46


def _window(tree: Any) -> None:
    """Shop glass: half mirror, half view inside."""
    clear = tree.nodes.new("ShaderNodeBsdfTransparent")
    clear.inputs[0].default_value = (0.75, 0.8, 0.8, 1)
    mirror = tree.nodes.new("ShaderNodeBsdfGlossy")
    mirror.inputs["Roughness"].default_value = 0.04
    mix = tree.nodes.new("ShaderNodeMixShader")
    mix.inputs[0].default_value = 0.28
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(mirror.outputs[0], mix.inputs[2])
    _out(tree, mix.outputs[0])
