"""Networks of one operator (or a few) and what ONNX Runtime answers on random inputs, one archive per group.

    pip install onnx onnxruntime numpy
    python make.py FOLDER

writes FOLDER/float.npz and FOLDER/quantized.npz with the arrays `<case>/model` (the bytes of an .onnx file made here), `<case>/in<i>`
and `<case>/out<i>`, images with their channels last, and `<case>/steps`: how many steps of int8 the answer may be off.
Everything follows from the seeds below; nothing comes from another network.
"""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64, np.dtype(np.int32): TensorProto.INT32}
GROUPS = {"float": {}, "quantized": {}}


def model(nodes, inputs, outputs, constants, opset):
    kinds = [helper.make_tensor_value_info(name, TYPES[x.dtype], x.shape) for name, x in inputs.items()]
    results = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "made", kinds, results, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return made.SerializeToString(deterministic=True)


def answers(bytes_, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(bytes_, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def channels_last(x):
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


def as_is(x):
    return x


def case(group, name, nodes, inputs, constants=None, outputs=("y",), opset=17, steps=2.5, order=channels_last, feed=channels_last,
         whole=False):
    """Adds a case; `feed` and `order` bring inputs and outputs into the blob's order, `whole` ones are integers."""
    kind = TensorProto.INT64 if whole else TensorProto.FLOAT
    bytes_ = model(nodes, inputs, [(name, kind) for name in outputs], constants or {}, opset)
    arrays = {"model": np.frombuffer(bytes_, np.uint8), "steps": np.float32([steps])}
    for i, x in enumerate(inputs.values()):
        arrays[f"in{i}"] = np.ascontiguousarray(feed(x) if x.dtype == np.float32 else x.astype(np.int32))
    for i, y in enumerate(answers(bytes_, inputs)):
        arrays[f"out{i}"] = np.ascontiguousarray(order(y.astype(np.int32) if whole else y))
    assert name not in GROUPS[group], name
    GROUPS[group][name] = arrays


random = np.random.default_rng(1)


def real(*shape, scale=1.0):
    return (random.uniform(-1, 1, shape) * scale).astype(np.float32)


# --- Float -------------------------------------------------------------------------------------------------------------------

IMAGE = real(1, 3, 5, 6)
TRANSPOSED = {
    "plain": ([3, 2, 3, 3], {}),
    "strided": ([3, 4, 3, 2], {"strides": [2, 3], "pads": [1, 0, 1, 1], "output_padding": [1, 2]}),
    "dilated": ([3, 2, 2, 3], {"dilations": [3, 2], "pads": [1, 2, 0, 1]}),
    "grouped": ([3, 2, 3, 3], {"group": 3, "strides": [2, 2]}),
    "same": ([3, 2, 3, 3], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "shaped": ([3, 2, 4, 4], {"strides": [2, 2], "output_shape": [11, 12]}),
}
for name, (shape, options) in TRANSPOSED.items():
    constants = {"w": real(*shape), "b": real(shape[1] * options.get("group", 1))}
    case("float", f"transposed_{name}", [node("ConvTranspose", ["x", "w", "b"], ["y"], **options)], {"x": IMAGE}, constants)
case("float", "transposed_sequence", [node("ConvTranspose", ["x", "w"], ["y"], strides=[2], pads=[1, 0])],
     {"x": real(1, 1, 3, 7)[0]}, {"w": real(3, 2, 4)}, order=lambda y: y.transpose(0, 2, 1), feed=lambda x: x.transpose(0, 2, 1))
case("float", "transposed_activated", [node("ConvTranspose", ["x", "w"], ["a"], strides=[2, 2]), node("Relu", ["a"], ["y"])],
     {"x": IMAGE}, {"w": real(3, 2, 2, 2)})

for transformation in ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]:
    for nearest in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]:
        options = {"mode": "nearest", "coordinate_transformation_mode": transformation, "nearest_mode": nearest}
        case("float", f"resize_{transformation}_{nearest}", [node("Resize", ["x", "", "", "s"], ["y"], **options)],
             {"x": IMAGE}, {"s": np.int64([1, 3, 8, 9])})
    for index, size in enumerate([[10, 12], [3, 2], [8, 9]]):
        options = {"mode": "linear", "coordinate_transformation_mode": transformation}
        case("float", f"resize_linear_{transformation}_{index}", [node("Resize", ["x", "", "", "s"], ["y"], **options)],
             {"x": IMAGE}, {"s": np.int64([1, 3, *size])})
case("float", "resize_factors", [node("Resize", ["x", "", "f"], ["y"], mode="nearest", nearest_mode="floor")], {"x": IMAGE},
     {"f": np.float32([1, 1, 1.7, 0.6])})
case("float", "resize_axes", [node("Resize", ["x", "", "f"], ["y"], mode="linear", axes=[3, 2])], {"x": IMAGE},
     {"f": np.float32([2, 3])}, opset=18)
case("float", "resize_10", [node("Resize", ["x", "f"], ["y"], mode="nearest")], {"x": IMAGE}, {"f": np.float32([1, 1, 2, 1.5])}, opset=10)
case("float", "upsample", [node("Upsample", ["x", "f"], ["y"], mode="linear")], {"x": IMAGE}, {"f": np.float32([1, 1, 2, 2])}, opset=9)

WORDS = np.int64([[3, 0, 6, 6, 1]])
case("float", "embedding", [node("Gather", ["t", "x"], ["y"])], {"x": WORDS}, {"t": real(7, 4)}, steps=1)
case("float", "embedding_32", [node("Gather", ["t", "x"], ["a"]), node("MatMul", ["a", "w"], ["y"])], {"x": WORDS.astype(np.int32)},
     {"t": real(7, 4), "w": real(4, 3)})
case("float", "gather_one", [node("Gather", ["x", "i"], ["y"], axis=1)], {"x": real(1, 5, 3)}, {"i": np.int64(-2)}, steps=1)
case("float", "gather_run", [node("Gather", ["x", "i"], ["y"], axis=2)], {"x": IMAGE}, {"i": np.int64([1, 2, 3])}, steps=1)
case("float", "gather_any", [node("Gather", ["x", "i"], ["y"], axis=1)], {"x": IMAGE}, {"i": np.int64([2, -3, 2, 1])}, steps=1)
case("float", "gather_matrix", [node("Gather", ["x", "i"], ["y"], axis=1)], {"x": real(1, 5, 3)}, {"i": np.int64([[0, 4], [2, 2]])},
     steps=1, order=as_is)
case("float", "gather_computed", [node("Gather", ["x", "i"], ["y"], axis=1)], {"x": real(1, 5, 3), "i": np.int64([4, 1, 1])}, steps=1)

SPACED = random.permutation(90).reshape(1, 3, 5, 6).astype(np.float32) / 90
for axis, keep in [(1, 1), (2, 0), (-1, 1)]:
    for operator in ["ArgMax", "ArgMin"]:
        order = channels_last if keep else lambda y: y.transpose(0, 2, 1)
        case("float", f"{operator.lower()}_{axis}".replace("-", "last"), [node(operator, ["x"], ["y"], axis=axis, keepdims=keep)],
             {"x": SPACED}, whole=True, order=order)

for index, (shape, axis) in enumerate([([1, 6, 10], -1), ([1, 4, 3, 5], -1), ([1, 4, 3, 5], 1)]):
    size = shape[axis:]
    case("float", f"layer_norm_{index}", [node("LayerNormalization", ["x", "g", "b"], ["y"], axis=axis, epsilon=1e-3)],
         {"x": real(*shape, scale=3)}, {"g": real(*size), "b": real(*size)}, order=as_is)

case("float", "matmul", [node("MatMul", ["x", "z"], ["y"])], {"x": real(1, 3, 4, 7), "z": real(1, 3, 7, 5)}, order=as_is)
case("float", "matmul_repeated", [node("MatMul", ["x", "z"], ["y"])], {"x": real(1, 4, 7), "z": real(1, 3, 7, 5)}, order=as_is)
case("float", "matmul_constant", [node("MatMul", ["k", "x"], ["y"])], {"x": real(1, 7, 5)}, {"k": real(4, 7)})
case("float", "attention", [node("MatMul", ["x", "wq"], ["q"]), node("MatMul", ["x", "wk"], ["k"]), node("MatMul", ["x", "wv"], ["v"]),
                            node("Transpose", ["k"], ["t"], perm=[0, 2, 1]), node("MatMul", ["q", "t"], ["s"]),
                            node("Softmax", ["s"], ["p"], axis=-1), node("MatMul", ["p", "v"], ["y"])],
     {"x": real(1, 5, 8)}, {f"w{i}": real(8, 6) for i in "qkv"}, steps=4)

case("float", "prelu", [node("PRelu", ["x", "s"], ["y"])], {"x": IMAGE}, {"s": real(3, 1, 1)})
case("float", "prelu_width", [node("PRelu", ["x", "s"], ["y"])], {"x": IMAGE}, {"s": real(6)}, order=as_is)
case("float", "leaky_relu", [node("LeakyRelu", ["x"], ["y"], alpha=0.3)], {"x": IMAGE})
case("float", "hard_swish", [node("HardSwish", ["x"], ["y"])], {"x": IMAGE * 4})
case("float", "split", [node("Split", ["x", "s"], ["a", "y"], axis=2)], {"x": IMAGE}, {"s": np.int64([2, 3])}, outputs=("a", "y"))
case("float", "slice", [node("Slice", ["x", "b", "e", "a", "s"], ["y"])], {"x": IMAGE},
     {"b": np.int64([1, -5]), "e": np.int64([5, 9]), "a": np.int64([2, 3]), "s": np.int64([2, 3])})
case("float", "add_repeated", [node("Add", ["x", "z"], ["y"])], {"x": IMAGE, "z": real(1, 3, 1, 1)})

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
for operator, gates in GATES.items():
    for direction in ["forward", "reverse", "bidirectional"]:
        count, size, units, time = 2 if direction == "bidirectional" else 1, 6, 5, 9
        options = {"direction": direction, "hidden_size": units}
        options.update({"linear_before_reset": 1} if operator == "GRU" else {})
        constants = {"w": real(count, gates * units, size), "r": real(count, gates * units, units, scale=0.6),
                     "b": real(count, 2 * gates * units, scale=0.5)}
        case("float", f"{operator.lower()}_{direction}", [node(operator, ["x", "w", "r", "b"], ["y", "h"], **options)],
             {"x": real(time, 1, size)}, constants, outputs=("y", "h"), steps=6,
             order=as_is)
case("float", "rnn_relu", [node("RNN", ["x", "w", "r"], ["", "y"], hidden_size=4, activations=["Relu"])], {"x": real(7, 1, 3)},
     {"w": real(1, 4, 3), "r": real(1, 4, 4, scale=0.4)}, steps=6, order=as_is)
case("float", "lstm_network", [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
                               node("LSTM", ["t", "w", "r", "b"], ["a", "h"], hidden_size=5), node("Squeeze", ["a", "d"], ["s"]),
                               node("Transpose", ["s"], ["v"], perm=[1, 0, 2]), node("MatMul", ["v", "m"], ["y"])],
     {"x": real(1, 9, 6)}, {"w": real(1, 20, 6), "r": real(1, 20, 5, scale=0.6), "b": real(1, 40, scale=0.5), "d": np.int64([1]),
                            "m": real(5, 3)}, steps=8)

# --- Quantized ---------------------------------------------------------------------------------------------------------------


def scale_of(x):
    """Scale and zero point of int8."""
    low, high = min(0.0, float(x.min())), max(0.0, float(x.max()))
    scale = np.float32((high - low) / 255)
    return scale, np.int8(np.clip(round(-128 - low / scale), -128, 127))


def quantized(name, nodes, inputs, constants=None, weights=(), whole=False, steps=1.01, **options):
    """The network with QuantizeLinear and DequantizeLinear around its inputs, its output `y` and its `weights` {name: axis}."""
    constants, plain = dict(constants or {}), dict(constants or {})
    float_bytes = model(nodes, inputs, [("y", TensorProto.INT64 if whole else TensorProto.FLOAT)], plain, options.get("opset", 17))
    result = answers(float_bytes, inputs)[0]
    rename, before, after = {}, [], []

    def around(tensor, values, to):
        constants[f"{tensor}_s"], constants[f"{tensor}_z"] = scale_of(values)
        parameters = [f"{tensor}_s", f"{tensor}_z"]
        return [node("QuantizeLinear", [tensor, *parameters], [f"{tensor}_q"]), node("DequantizeLinear", [f"{tensor}_q", *parameters], [to])]

    for tensor, values in inputs.items():
        if values.dtype == np.float32:
            before += around(tensor, values, f"{tensor}_d")
            rename[tensor] = f"{tensor}_d"
    for tensor, axis in dict(weights).items():
        values = constants.pop(tensor)
        other = tuple(i for i in range(values.ndim) if i != axis)
        scale = np.float32(np.abs(values).max() if axis is None else np.abs(values).max(other)) / np.float32(127)
        shaped = scale if axis is None else scale.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        constants |= {f"{tensor}_q": np.round(values / shaped).astype(np.int8), f"{tensor}_s": scale,
                      f"{tensor}_z": np.zeros(scale.shape, np.int8)}
        before.append(node("DequantizeLinear", [f"{tensor}_q", f"{tensor}_s", f"{tensor}_z"], [f"{tensor}_d"], axis=axis or 0))
        rename[tensor] = f"{tensor}_d"
    for item in nodes:
        item.input[:] = [rename.get(tensor, tensor) for tensor in item.input]
        if not whole:
            item.output[:] = ["y_f" if tensor == "y" else tensor for tensor in item.output]
    if not whole:
        after = around("y_f", result, "y")
    case("quantized", name, [*before, *nodes, *after], inputs, constants, whole=whole, steps=steps, **options)


for name in ["strided", "grouped", "plain"]:
    shape, options = TRANSPOSED[name]
    constants = {"w": real(*shape), "b": real(shape[1] * options.get("group", 1))}
    quantized(f"transposed_{name}", [node("ConvTranspose", ["x", "w", "b"], ["y"], **options)], {"x": IMAGE}, constants, {"w": 1})
quantized("resize_nearest", [node("Resize", ["x", "", "s"], ["y"], mode="nearest")], {"x": IMAGE}, {"s": np.float32([1, 1, 2, 3])})
quantized("resize_linear", [node("Resize", ["x", "", "s"], ["y"], mode="linear")], {"x": IMAGE}, {"s": np.float32([1, 1, 2, 4])}, steps=2.01)
quantized("embedding", [node("Gather", ["t", "x"], ["y"])], {"x": WORDS}, {"t": real(7, 4)}, {"t": None})
quantized("gather_any", [node("Gather", ["x", "i"], ["y"], axis=1)], {"x": IMAGE}, {"i": np.int64([2, -3, 2, 1])})
quantized("argmax", [node("ArgMax", ["x"], ["y"], axis=1)], {"x": SPACED}, whole=True)
quantized("layer_norm", [node("LayerNormalization", ["x", "g", "b"], ["y"])], {"x": real(1, 6, 10)}, {"g": real(10), "b": real(10)})
quantized("matmul", [node("MatMul", ["x", "z"], ["y"])], {"x": real(1, 3, 4, 7), "z": real(1, 3, 7, 5)}, order=as_is)
quantized("prelu", [node("PRelu", ["x", "s"], ["y"])], {"x": IMAGE}, {"s": real(3, 1, 1)})
quantized("leaky_relu", [node("LeakyRelu", ["x"], ["y"], alpha=0.3)], {"x": IMAGE})
quantized("hard_swish", [node("HardSwish", ["x"], ["y"])], {"x": IMAGE * 4})
quantized("slice", [node("Slice", ["x", "b", "e"], ["y"])], {"x": IMAGE}, {"b": np.int64([0, 0, 1]), "e": np.int64([1, 3, 4])})
quantized("split", [node("Split", ["x", "s"], ["a", "y"], axis=3)], {"x": IMAGE}, {"s": np.int64([2, 4])})


def main(folder):
    for group, cases in GROUPS.items():
        arrays = {f"{name}/{key}": value for name, case in cases.items() for key, value in case.items()}
        np.savez_compressed(f"{folder}/{group}.npz", **arrays)
        print(f"{group}: {len(cases)} cases")


if __name__ == "__main__":
    main(sys.argv[1])
