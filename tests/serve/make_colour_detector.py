"""How `data/colour_detector.onnx` was made; run it with the train extra (needs `onnx`).

A detector that sees colours: the 640×384 picture is cut into 64×64 cells, a red cell is a car, a
green one a person, a blue one a truck. It is a real model file for real sessions, small and exact,
so that tests of the service can say what happens in each frame.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = 10
WIDTH, HEIGHT, CELL = 640, 384, 64
COLOURS = {3: (1.0, -1.0, -1.0), 0: (-1.0, 1.0, -1.0), 5: (-1.0, -1.0, 1.0)}


def main() -> None:
    columns, rows = WIDTH // CELL, HEIGHT // CELL
    weights = np.zeros((LABELS, 3), np.float32)
    for label, colour in COLOURS.items():
        weights[label] = colour
    centres = [(CELL * (x + 0.5), CELL * (y + 0.5)) for y in range(rows) for x in range(columns)]
    boxes = np.array([[x, y, CELL, CELL] for x, y in centres], np.float32).T[None]
    constants = {
        "shape": np.array([0, 3, rows * columns], np.int64),
        "weights": weights,
        "bias": np.float32(-0.1),
        "low": np.float32(0),
        "high": np.float32(1),
        "zero": np.zeros((1, 1, 1), np.float32),
        "boxes": boxes,
        "first": np.array([0], np.int64),
        "one": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node(
            "AveragePool", ["images"], ["cells"], kernel_shape=[CELL] * 2, strides=[CELL] * 2
        ),
        helper.make_node("Reshape", ["cells", "shape"], ["flat"]),
        helper.make_node("MatMul", ["weights", "flat"], ["linear"]),
        helper.make_node("Add", ["linear", "bias"], ["shifted"]),
        helper.make_node("Clip", ["shifted", "low", "high"], ["scores"]),
        helper.make_node("Slice", ["flat", "first", "one", "one"], ["channel"]),
        helper.make_node("Mul", ["channel", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "boxes"], ["every_box"]),
        helper.make_node("Concat", ["every_box", "scores"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 4 + LABELS, None])],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path = Path(__file__).parent / "data" / "colour_detector.onnx"
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
