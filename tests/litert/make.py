"""Networks of one operator and what LiteRT's reference kernels answer on random inputs, one archive per group.

    pip install ai-edge-litert numpy
    python make.py FOLDER

writes FOLDER/<group>.npz with the arrays `<case>/model` (the bytes of a .tflite file made here), `<case>/in<i>` and
`<case>/out<i>`. Everything follows from the seeds below; nothing comes from another network.
"""

import sys

import flatbuffers
import numpy as np
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as s

CODES = {name: code for name, code in vars(s.BuiltinOperator).items() if isinstance(code, int)}
TYPES = {np.dtype(t): c for t, c in [(np.int8, s.TensorType.INT8), (np.int16, s.TensorType.INT16),
                                     (np.int32, s.TensorType.INT32), (np.int64, s.TensorType.INT64),
                                     (np.float32, s.TensorType.FLOAT32)]}


class Network:
    """A network of one operator in the making."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.tensors, self.buffers = [], [s.BufferT()]
        self.inputs, self.outputs = [], []

    def tensor(self, shape, dtype, scale=None, zero=0, data=None, axis=0, element=None):
        t = s.TensorT()
        t.name = f"t{len(self.tensors)}"
        t.shape = list(shape)
        t.type = TYPES[np.dtype(dtype)] if element is None else element
        if scale is not None:
            q = s.QuantizationParametersT()
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            q.scale = scales
            q.zeroPoint = np.atleast_1d(np.asarray(zero, np.int64)).repeat(len(scales) if np.ndim(zero) == 0 else 1)
            q.quantizedDimension = axis
            t.quantization = q
        t.buffer = 0
        if data is not None:
            b = s.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            t.buffer = len(self.buffers)
            self.buffers.append(b)
        self.tensors.append(t)
        return len(self.tensors) - 1

    def input(self, shape, scale=0.05, zero=0, dtype=np.int8):
        i = self.tensor(shape, dtype, scale, zero)
        self.inputs.append(i)
        return i

    def output(self, shape, scale=0.05, zero=0, dtype=np.int8):
        o = self.tensor(shape, dtype, scale, zero)
        self.outputs.append(o)
        return o

    def constant(self, array, scale=None, zero=0, axis=0):
        array = np.asarray(array)
        return self.tensor(array.shape, array.dtype, scale, zero, array, axis)

    def integers(self, values):
        return self.constant(np.asarray(values, np.int32))

    def int8(self, *shape, low=-128):
        values = self.random.integers(low, 128, shape)
        extremes = self.random.integers(0, 16, shape)
        values = np.where(extremes == 0, low, np.where(extremes == 1, 127, values))
        return values.astype(np.int8)

    def finish(self, operator, inputs, options=None, kind=None, version=1):
        code = s.OperatorCodeT()
        code.builtinCode = CODES[operator]
        code.deprecatedBuiltinCode = min(127, CODES[operator])
        code.version = version
        op = s.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = 0, inputs, self.outputs
        if kind is not None:
            table = getattr(s, kind + "T")()
            for key, value in (options or {}).items():
                assert hasattr(table, key), (kind, key)
                setattr(table, key, value)
            op.builtinOptionsType = getattr(s.BuiltinOptions, kind)
            op.builtinOptions = table
        graph = s.SubGraphT()
        graph.tensors, graph.inputs, graph.outputs, graph.operators = self.tensors, self.inputs, self.outputs, [op]
        model = s.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def run(self, model, made):
        """Inputs and outputs of the reference kernels."""
        runner = litert.Interpreter(model_content=model,
                                    experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF)
        runner.allocate_tensors()
        arrays = {}
        for i, detail in enumerate(runner.get_input_details()):
            shape, dtype = tuple(detail["shape"]), detail["dtype"]
            value = made.get(i)
            if value is None and dtype == np.int8:
                value = self.int8(*shape)
            elif value is None and dtype == np.float32:
                value = self.random.uniform(-1, 1, shape)
            elif value is None:
                info = np.iinfo(np.int16)
                value = self.random.integers(info.min, info.max + 1, shape)
                value = np.where(self.random.integers(0, 16, shape) == 0, info.min, value)
            value = np.asarray(value).astype(dtype)
            runner.set_tensor(detail["index"], value)
            arrays[f"in{i}"] = value
        runner.invoke()
        for i, detail in enumerate(runner.get_output_details()):
            arrays[f"out{i}"] = runner.get_tensor(detail["index"])
        arrays["model"] = np.frombuffer(model, np.uint8)
        return arrays


GROUPS = {}


def case(group, name):
    """Registers a function that builds a network: it returns the arguments of `Network.finish`, perhaps inputs."""

    def register(build):
        GROUPS.setdefault(group, []).append((name, build))
        return build

    return register


# --- Functions of one tensor -----------------------------------------------------------------------------------------

for name, scale, zero in [("RELU", 0.04, -100), ("RELU6", 0.03, -128), ("RELU_N1_TO_1", 0.02, 3), ("LOGISTIC", 1 / 256, -128),
                          ("TANH", 1 / 128, 0), ("HARD_SWISH", 0.04, -90)]:
    for input_scale, input_zero in [(0.05, -10), (0.11, 127), (0.004, -128)]:
        @case("functions", f"{name.lower()}_{input_scale}")
        def _(n, name=name, scale=scale, zero=zero, input_scale=input_scale, input_zero=input_zero):
            x = n.input([1, 256], input_scale, input_zero)
            n.output([1, 256], scale, zero)
            kind = {"HARD_SWISH": "HardSwishOptions"}.get(name)
            return (name, [x], {}, kind), {0: np.arange(-128, 128).reshape(1, 256)}

for alpha in [0.2, 0.01, 1.5]:
    @case("functions", f"leaky_relu_{alpha}")
    def _(n, alpha=alpha):
        x = n.input([1, 256], 0.05, -10)
        n.output([1, 256], 0.04, -60)
        return ("LEAKY_RELU", [x], {"alpha": alpha}, "LeakyReluOptions"), {0: np.arange(-128, 128).reshape(1, 256)}

for index, (a, za, b, zb) in enumerate([(0.05, -10, 0.03, 20), (0.02, 127, 0.07, -128), (0.05, 3, 0.05, 60)]):
    @case("functions", f"quantize_{index}")
    def _(n, a=a, za=za, b=b, zb=zb):
        x = n.input([1, 256], a, za)
        n.output([1, 256], b, zb)
        return ("QUANTIZE", [x], {}, "QuantizeOptions"), {0: np.arange(-128, 128).reshape(1, 256)}

for depth, scale, beta in [(7, 0.1, 1.0), (100, 0.02, 0.5), (1, 0.3, 2.0)]:
    @case("functions", f"softmax_{depth}")
    def _(n, depth=depth, scale=scale, beta=beta):
        x = n.input([3, depth], scale, 5)
        n.output([3, depth], 1 / 256, -128)
        return ("SOFTMAX", [x], {"beta": beta}, "SoftmaxOptions")


# --- Element by element on two tensors ---------------------------------------------------------------------------------

SHAPES = [([1, 3, 4, 5], [1, 3, 4, 5]), ([1, 3, 4, 5], [5]), ([2, 1, 4, 1], [1, 3, 1, 5]), ([1, 6], [1, 1])]
for name, kind in [("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")]:
    for index, (left, right) in enumerate(SHAPES):
        @case("arithmetic", f"{name.lower()}_{index}")
        def _(n, name=name, kind=kind, left=left, right=right, index=index):
            a, b = n.input(left, 0.05, -20), n.input(right, 0.03, 13)
            n.output(np.broadcast_shapes(left, right), 0.07 if index % 2 else 0.05, 9)
            return (name, [a, b], {"fusedActivationFunction": [0, 1, 3, 0][index]}, kind)

    for index, shape in enumerate([[4], [], [1, 1, 4]]):
        @case("arithmetic", f"{name.lower()}_constant_{index}")
        def _(n, name=name, kind=kind, shape=shape):
            a, b = n.input([1, 2, 3, 4], 0.05, -20), n.constant(n.int8(*shape), 0.04, 7)
            n.output([1, 2, 3, 4], 0.06, 9)
            return (name, [a, b] if len(shape) != 1 else [b, a], {}, kind)

for shape in [[1, 1, 5], [3, 4, 5], [1, 1, 1]]:
    @case("arithmetic", f"prelu_{len(GROUPS['arithmetic'])}")
    def _(n, shape=shape):
        x, slope = n.input([2, 3, 4, 5], 0.05, -20), n.constant(n.int8(*shape), 0.01, 7)
        n.output([2, 3, 4, 5], 0.04, 9)
        return ("PRELU", [x, slope])

# --- Movement ------------------------------------------------------------------------------------------------------------

for axis, shapes in [(3, [[1, 2, 3, 1], [1, 2, 3, 4]]), (-3, [[1, 1, 3, 2], [1, 4, 3, 2], [1, 2, 3, 2]]),
                     (1, [[2, i % 3 + 1] for i in range(11)])]:
    @case("movement", f"concatenation_{axis}")
    def _(n, axis=axis, shapes=shapes):
        inputs = [n.input(shape, 0.05, 3) for shape in shapes]
        whole = list(shapes[0])
        whole[axis] = sum(shape[axis] for shape in shapes)
        n.output(whole, 0.05, 3)
        return ("CONCATENATION", inputs, {"axis": axis}, "ConcatenationOptions")

for axis, parts in [(3, 3), (-2, 2), (0, 1)]:
    @case("movement", f"split_{axis}")
    def _(n, axis=axis, parts=parts):
        shape = [1, 3, 4, 6]
        at, x = n.integers(axis), n.input(shape, 0.05, 3)
        part = list(shape)
        part[axis] //= parts
        for _ in range(parts):
            n.output(part, 0.05, 3)
        return ("SPLIT", [at, x], {"numSplits": parts}, "SplitOptions")

@case("movement", "split_v")
def _(n):
    x, sizes, axis = n.input([2, 3, 7], 0.05, 3), n.integers([1, 4, 2]), n.integers(2)
    for size in [1, 4, 2]:
        n.output([2, 3, size], 0.05, 3)
    return ("SPLIT_V", [x, sizes, axis], {"numSplits": 3}, "SplitVOptions")

@case("movement", "unpack")
def _(n):
    x = n.input([2, 3, 4], 0.05, 3)
    for _ in range(3):
        n.output([2, 4], 0.05, 3)
    return ("UNPACK", [x], {"num": 3, "axis": 1}, "UnpackOptions")

@case("movement", "pack")
def _(n):
    inputs = [n.input([2, 4], 0.05, 3) for _ in range(3)]
    n.output([2, 3, 4], 0.05, 3)
    return ("PACK", inputs, {"valuesCount": 3, "axis": 1}, "PackOptions")

@case("movement", "slice")
def _(n):
    x, begin, size = n.input([2, 3, 4, 5], 0.05, 3), n.integers([0, 1, 2, 1]), n.integers([1, -1, 2, 3])
    n.output([1, 2, 2, 3], 0.05, 3)
    return ("SLICE", [x, begin, size], {}, "SliceOptions")

STRIDED = {
    "plain": ([4, 6], [1, 1], [4, 6], [2, 3], {}, [2, 2]),
    "backward": ([4, 6], [-1, 5], [-5, 0], [-1, -2], {}, [4, 3]),
    "masks": ([4, 6], [9, 2], [9, 9], [1, 2], {"beginMask": 1, "endMask": 3}, [4, 2]),
    "shrink": ([3, 4, 5], [1, 0, -2], [2, 4, 9], [1, 1, 1], {"shrinkAxisMask": 5}, [4]),
    "short": ([2, 3, 4, 5], [1, 1], [2, 3], [1, 1], {}, [1, 2, 4, 5]),
}
for name, (shape, begin, end, strides, options, out) in STRIDED.items():
    @case("movement", f"strided_slice_{name}")
    def _(n, shape=shape, begin=begin, end=end, strides=strides, options=options, out=out):
        inputs = [n.input(shape, 0.05, 3), n.integers(begin), n.integers(end), n.integers(strides)]
        n.output(out, 0.05, 3)
        return ("STRIDED_SLICE", inputs, options, "StridedSliceOptions")

@case("movement", "pad")
def _(n):
    x, pads = n.input([1, 3, 4, 2], 0.05, 3), n.integers([[0, 0], [1, 2], [3, 0], [0, 1]])
    n.output([1, 6, 7, 3], 0.05, 3)
    return ("PAD", [x, pads], {}, "PadOptions")

@case("movement", "pad_v2")
def _(n):
    x, pads, value = n.input([3, 4], 0.05, 3), n.integers([[1, 2], [3, 0]]), n.constant(np.int8(-77), 0.05, 3)
    n.output([6, 7], 0.05, 3)
    return ("PADV2", [x, pads, value], {}, "PadV2Options")

for order in [[0, 2, 1, 3], [3, 1, 0, 2], [2, 0, 1], [1, 0]]:
    @case("movement", f"transpose_{''.join(map(str, order))}")
    def _(n, order=order):
        shape = [2, 3, 4, 5][:len(order)]
        x, perm = n.input(shape, 0.05, 3), n.integers(order)
        n.output([shape[d] for d in order], 0.05, 3)
        return ("TRANSPOSE", [x, perm], {}, "TransposeOptions")

for name, kind, options in [("EXPAND_DIMS", "ExpandDimsOptions", {}), ("SQUEEZE", "SqueezeOptions", {"squeezeDims": [1]}),
                            ("RESHAPE", "ReshapeOptions", {"newShape": [6, 4]})]:
    @case("movement", name.lower())
    def _(n, name=name, kind=kind, options=options):
        x = n.input([3, 1, 8] if name == "SQUEEZE" else [3, 8], 0.05, 3)
        n.output({"EXPAND_DIMS": [3, 1, 8], "SQUEEZE": [3, 8], "RESHAPE": [6, 4]}[name], 0.05, 3)
        return (name, [x, n.integers(1)] if name == "EXPAND_DIMS" else [x], options, kind)

MEANS = [([1, 5, 6, 3], [1, 2], True), ([1, 5, 6, 3], [1, 2], False), ([2, 3, 4], [-1], False), ([2, 3, 4], [0, 1, 2], True)]
for index, (shape, axes, keep) in enumerate(MEANS):
    for scale, zero in [(0.05, 3), (0.03, -7)]:
        @case("movement", f"mean_{index}_{scale}")
        def _(n, shape=shape, axes=axes, keep=keep, scale=scale, zero=zero):
            x, over = n.input(shape, 0.05, 3), n.integers(axes)
            positive = [a % len(shape) for a in axes]
            out = [1 if d in positive else size for d, size in enumerate(shape) if keep or d not in positive]
            n.output(out, scale, zero)
            return ("MEAN", [x, over], {"keepDims": keep}, "ReducerOptions")

@case("movement", "reduce_max")
def _(n):
    x, over = n.input([2, 5, 6, 3], 0.05, 3), n.integers([1, 2])
    n.output([2, 3], 0.05, 3)
    return ("REDUCE_MAX", [x, over], {"keepDims": False}, "ReducerOptions")

for align, half in [(False, False), (True, False), (False, True)]:
    for name in ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"]:
        for to in [(7, 9), (2, 3)]:
            @case("movement", f"{name.lower()}_{to[0]}_{align}_{half}")
            def _(n, align=align, half=half, name=name, to=to):
                x, size = n.input([2, 4, 5, 3], 0.05, 3), n.integers(to)
                n.output([2, *to, 3], 0.05, 3)
                kind = "ResizeBilinearOptions" if "BIL" in name else "ResizeNearestNeighborOptions"
                return (name, [x, size], {"alignCorners": align, "halfPixelCenters": half}, kind)

for name, dtype, code in [("ARG_MAX", np.int32, 2), ("ARG_MIN", np.int64, 4)]:
    for axis in [-1, 1]:
        @case("movement", f"{name.lower()}_{axis}")
        def _(n, name=name, dtype=dtype, code=code, axis=axis):
            x, at = n.input([2, 5, 7], 0.05, 3), n.integers(axis)
            out = [2, 5] if axis == -1 else [2, 7]
            o = n.tensor(out, dtype)
            n.outputs.append(o)
            kind = "ArgMaxOptions" if "MAX" in name else "ArgMinOptions"
            return (name, [x, at], {"outputType": code}, kind)

@case("movement", "gather_indices")
def _(n):
    table, picks = n.constant(n.int8(6, 5), 0.05, 3), n.tensor([1, 4], np.int32)
    n.inputs.append(picks)
    n.output([1, 4, 5], 0.05, 3)
    return ("GATHER", [table, picks], {"axis": 0}, "GatherOptions"), {0: [[5, 0, 3, 3]]}

@case("movement", "gather_axis")
def _(n):
    x, picks = n.input([2, 6, 5], 0.05, 3), n.integers([3, 1, 4])
    n.output([2, 3, 5], 0.05, 3)
    return ("GATHER", [x, picks], {"axis": 1}, "GatherOptions")

@case("movement", "embedding_lookup")
def _(n):
    picks, table = n.tensor([4], np.int32), n.constant(n.int8(6, 5), 0.05, 3)
    n.inputs.append(picks)
    n.output([4, 5], 0.05, 3)
    return ("EMBEDDING_LOOKUP", [picks, table]), {0: [5, 0, 3, 3]}

for name in ["MAX_POOL_2D", "AVERAGE_POOL_2D"]:
    for padding in [0, 1]:
        @case("movement", f"{name.lower()}_{padding}")
        def _(n, name=name, padding=padding):
            x = n.input([1, 7, 6, 3], 0.05, 3)
            n.output([1, 4, 3, 3] if padding == 0 else [1, 3, 3, 3], 0.05, 3)
            options = {"padding": padding, "strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 3}
            return (name, [x], options, "Pool2DOptions")

# --- int16 ------------------------------------------------------------------------------------------------------------------

for index, (left, right) in enumerate(SHAPES):
    for name, kind in [("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")]:
        @case("int16", f"{name.lower()}_{index}")
        def _(n, name=name, kind=kind, left=left, right=right, index=index):
            a, b = n.input(left, 0.0005, 0, np.int16), n.input(right, 0.0003, 0, np.int16)
            n.output(np.broadcast_shapes(left, right), 0.0007 if name != "MUL" else 0.004, 0, np.int16)
            options = {"fusedActivationFunction": [0, 1, 3, 0][index]}
            return (name, [a, b], options if name == "MUL" else {**options, "potScaleInt16": False}, kind)

for name in ["RELU", "RELU6"]:
    @case("int16", name.lower())
    def _(n, name=name):
        x = n.input([1, 200], 0.0005, 0, np.int16)
        n.output([1, 200], 0.0004, 0, np.int16)
        return (name, [x])

for name in ["MAX_POOL_2D", "AVERAGE_POOL_2D"]:
    for activation in [0, 1]:
        @case("int16", f"{name.lower()}_{activation}")
        def _(n, name=name, activation=activation):
            x = n.input([1, 7, 6, 3], 0.0005, 0, np.int16)
            n.output([1, 4, 3, 3], 0.0005, 0, np.int16)
            options = {"padding": 0, "strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 3,
                       "fusedActivationFunction": activation}
            return (name, [x], options, "Pool2DOptions")

QUANTIZED = [(np.int8, 0.05, -13, np.int16, 0.0003, 0), (np.int16, 0.0003, 0, np.int8, 0.07, 11), (np.int16, 0.0003, 0, np.int16, 0.0007, 0),
             (np.int8, 0.05, -13, np.int16, 0.0125, 0), (np.int16, 0.01, 0, np.int8, 0.02, 5)]
for index, (x, a, za, y, b, zb) in enumerate(QUANTIZED):
    @case("int16", f"quantize_{index}")
    def _(n, x=x, a=a, za=za, y=y, b=b, zb=zb):
        i = n.input([1, 200], a, za, x)
        n.output([1, 200], b, zb, y)
        return ("QUANTIZE", [i], {}, "QuantizeOptions")

@case("int16", "reshape")
def _(n):
    x = n.input([3, 8], 0.0005, 0, np.int16)
    n.output([6, 4], 0.0005, 0, np.int16)
    return ("RESHAPE", [x], {"newShape": [6, 4]}, "ReshapeOptions")

@case("int16", "concatenation")
def _(n):
    inputs = [n.input([1, 2, 3, d], 0.0005, 0, np.int16) for d in [1, 4]]
    n.output([1, 2, 3, 5], 0.0005, 0, np.int16)
    return ("CONCATENATION", inputs, {"axis": 3}, "ConcatenationOptions")

@case("int16", "transpose")
def _(n):
    x, perm = n.input([2, 3, 4], 0.0005, 0, np.int16), n.integers([2, 0, 1])
    n.output([4, 2, 3], 0.0005, 0, np.int16)
    return ("TRANSPOSE", [x, perm], {}, "TransposeOptions")

# --- Weights -----------------------------------------------------------------------------------------------------------------

INT4 = s.TensorType.INT4


def weights(n, shape, axis, int4=False, channels=True):
    """int8 or packed int4 weights with a scale for each channel along `axis` (or one)."""
    count = shape[axis] if channels else 1
    scale = n.random.uniform(0.3, 1.0, count) * (0.05 if int4 else 0.003)
    if not int4:
        return n.constant(n.int8(*shape, low=-127), scale, axis=axis)
    flat = n.random.integers(-8, 8, int(np.prod(shape)))
    halves = np.append(flat, 0)[:len(flat) + len(flat) % 2].reshape(-1, 2) & 15
    packed = (halves[:, 0] | halves[:, 1] << 4).astype(np.uint8)
    return n.tensor(shape, np.int8, scale, 0, packed, axis, INT4)


def biases(n, count, dtype):
    size = 4000 if dtype == np.int32 else 4_000_000
    return n.constant(n.random.integers(-size, size, count).astype(dtype))


def sides(n, wide, x, y):
    """An input and an output, int16 or int8, and the type of biases."""
    if wide:
        return n.input(x, 0.0004, 0, np.int16), n.output(y, 0.0007, 0, np.int16), np.int64
    return n.input(x, 0.05, -13), n.output(y, 0.06, 21), np.int32


KINDS = [("int8", False, False), ("int16", True, False), ("int4", False, True)]
CONVS = {
    # input, output channels, kernel, stride, dilation, padding, groups, activation
    "plain": ([1, 6, 7, 3], 5, (3, 2), (2, 1), (1, 1), 0, 1, 0),
    "dilated": ([2, 9, 9, 2], 4, (3, 3), (1, 1), (2, 3), 1, 1, 1),
    "grouped": ([1, 5, 6, 6], 4, (3, 3), (1, 2), (1, 1), 0, 2, 3),
    "pointwise": ([1, 4, 4, 7], 3, (1, 1), (1, 1), (1, 1), 1, 1, 0),
}


def extent(length, kernel, stride, dilation, padding):
    return -(-length // stride) if padding == 0 else (length - (kernel - 1) * dilation - 1) // stride + 1


for name, (shape, outputs, kernel, stride, dilation, padding, groups, activation) in CONVS.items():
    for kind, wide, int4 in KINDS:
        @case("weights", f"conv2d_{name}_{kind}")
        def _(n, shape=shape, outputs=outputs, kernel=kernel, stride=stride, dilation=dilation, padding=padding,
              groups=groups, activation=activation, wide=wide, int4=int4):
            out = [shape[0], *(extent(shape[1 + i], kernel[i], stride[i], dilation[i], padding) for i in (0, 1)), outputs]
            x, _, bias = sides(n, wide, shape, out)
            w = weights(n, [outputs, *kernel, shape[3] // groups], 0, int4)
            options = {"padding": padding, "strideH": stride[0], "strideW": stride[1], "dilationHFactor": dilation[0],
                       "dilationWFactor": dilation[1], "fusedActivationFunction": activation}
            return ("CONV_2D", [x, w, biases(n, outputs, bias)], options, "Conv2DOptions")

@case("weights", "conv2d_int16_int32_bias")
def _(n):
    x, _, _ = sides(n, True, [1, 4, 4, 7], [1, 4, 4, 3])
    options = {"padding": 1, "strideH": 1, "strideW": 1, "quantizedBiasType": s.TensorType.INT32}
    return ("CONV_2D", [x, weights(n, [3, 1, 1, 7], 0), biases(n, 3, np.int32)], options, "Conv2DOptions")

for multiplier in [1, 2]:
    for kind, wide, int4 in KINDS:
        @case("weights", f"depthwise_{multiplier}_{kind}")
        def _(n, multiplier=multiplier, wide=wide, int4=int4):
            x, _, bias = sides(n, wide, [1, 6, 7, 3], [1, 3, 7, 3 * multiplier])
            w = weights(n, [1, 3, 3, 3 * multiplier], 3, int4)
            options = {"padding": 0, "strideH": 2 if multiplier == 1 else 2, "strideW": 1 if multiplier == 1 else 1,
                       "depthMultiplier": multiplier, "fusedActivationFunction": 1 if multiplier == 2 else 0}
            inputs = [x, w, biases(n, 3 * multiplier, bias)]
            return ("DEPTHWISE_CONV_2D", inputs, options, "DepthwiseConv2DOptions")

for channels in [False, True]:
    for kind, wide, int4 in KINDS:
        @case("weights", f"fully_connected_{'channels' if channels else 'tensor'}_{kind}")
        def _(n, channels=channels, wide=wide, int4=int4):
            x, _, bias = sides(n, wide, [3, 37], [3, 5])
            w = weights(n, [5, 37], 0, int4, channels)
            inputs = [x, w, n.constant(n.random.integers(-4000, 4000, 5).astype(bias),
                                       n.tensors[x].quantization.scale * n.tensors[w].quantization.scale)]
            return ("FULLY_CONNECTED", inputs, {"fusedActivationFunction": 1 if channels else 0}, "FullyConnectedOptions")

TRANSPOSED = [([1, 3, 4, 3], [1, 6, 8, 2], (3, 3), (2, 2), 0), ([1, 3, 4, 3], [1, 8, 5, 2], (2, 2), (3, 1), 1),
              ([2, 4, 3, 1], [2, 4, 5, 4], (5, 1), (1, 2), 0), ([1, 2, 2, 5], [1, 5, 4, 3], (3, 2), (2, 2), 1)]
for index, (shape, out, kernel, stride, padding) in enumerate(TRANSPOSED):
    for kind, wide in [("int8", False), ("int16", True)]:
        @case("weights", f"transpose_conv_{index}_{kind}")
        def _(n, shape=shape, out=out, kernel=kernel, stride=stride, padding=padding, index=index, wide=wide):
            size, w = n.integers(out), weights(n, [out[3], *kernel, shape[3]], 0)
            x, _, bias = sides(n, wide, shape, out)
            inputs = [size, w, x] + ([biases(n, out[3], bias)] if index else [])
            options = {"padding": padding, "strideH": stride[0], "strideW": stride[1],
                       "fusedActivationFunction": 1 if index == 1 else 0}
            return ("TRANSPOSE_CONV", inputs, options, "TransposeConvOptions")

MATMULS = [([2, 3, 4, 7], [2, 3, 7, 5]), ([3, 4, 7], [7, 5]), ([2, 1, 4, 70], [1, 3, 70, 5])]
for index, (left, right) in enumerate(MATMULS):
    for x, y in [(False, False), (False, True), (True, True)]:
        @case("weights", f"batch_matmul_{index}_{x:d}{y:d}")
        def _(n, left=left, right=right, x=x, y=y):
            out = [*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1]]
            a = left[:-2] + left[-2:][::-1] if x else left
            b = right[:-2] + right[-2:][::-1] if y else right
            inputs = [n.input(a, 0.05, -13), n.constant(n.int8(*b), 0.003, 0) if len(b) == 2 else n.input(b, 0.03, 7)]
            n.output(out, 0.1 if len(b) > 2 else 0.05, 3)
            return ("BATCH_MATMUL", inputs, {"adjX": x, "adjY": y}, "BatchMatMulOptions")

for index, axes in enumerate([[1], [2, 3]]):
    @case("movement", f"reverse_{index}")
    def _(n, axes=axes):
        x = n.input([1, 5, 6, 3], 0.05, 9)
        n.output([1, 5, 6, 3], 0.05, 9)
        return ("REVERSE_V2", [x, n.integers(axes)])

# --- Float networks, which are quantized here ------------------------------------------------------------------------------------

for index, (shape, out, kernel, stride, padding) in enumerate(TRANSPOSED):
    @case("float", f"transpose_conv_{index}")
    def _(n, shape=shape, out=out, kernel=kernel, stride=stride, padding=padding, index=index):
        shape, out = [1, *shape[1:]], [1, *out[1:]]
        w = n.constant(n.random.uniform(-1, 1, [out[3], *kernel, shape[3]]).astype(np.float32))
        inputs = [n.integers(out), w, n.input(shape, None, 0, np.float32)]
        if index:
            inputs.append(n.constant(n.random.uniform(-1, 1, out[3]).astype(np.float32)))
        n.output(out, None, 0, np.float32)
        options = {"padding": padding, "strideH": stride[0], "strideW": stride[1],
                   "fusedActivationFunction": 1 if index == 1 else 0}
        return ("TRANSPOSE_CONV", inputs, options, "TransposeConvOptions")

@case("float", "reduce_max")
def _(n):
    x, over = n.input([1, 5, 6, 3], None, 0, np.float32), n.integers([1, 2])
    n.output([1, 3], None, 0, np.float32)
    return ("REDUCE_MAX", [x, over], {"keepDims": False}, "ReducerOptions")


def real(n, *shape, scale=1.0):
    return n.constant((n.random.uniform(-1, 1, shape) * scale).astype(np.float32))


def float_case(name, inputs, outputs, operator, options=None, kind=None):
    """An operator on float32: shapes of inputs and outputs, and what makes the operator's inputs of the network and these tensors."""

    @case("float", name)
    def _(n):
        x = [n.input(shape, None, 0, np.float32) for shape in inputs]
        arguments = operator[1](n, *x)
        for shape in outputs:
            n.output(shape, None, 0, np.float32)
        return operator[0], arguments, options or {}, kind


def simple(name, shape, outputs, operator, rest, options=None, kind=None):
    float_case(name, [shape], outputs, (operator, lambda n, x: [x, *rest(n)]), options, kind)


GROUPED = {"padding": 0, "strideH": 1, "strideW": 2, "dilationHFactor": 1, "dilationWFactor": 1, "fusedActivationFunction": 1}
simple("conv2d_grouped", [1, 5, 6, 6], [[1, 5, 3, 9]], "CONV_2D", lambda n: [real(n, 9, 3, 3, 2), real(n, 9)], GROUPED, "Conv2DOptions")
for index, adjoint in enumerate([False, True]):
    right = [5, 7] if adjoint else [7, 5]
    options = {"adjX": False, "adjY": adjoint}
    simple(f"batch_matmul_constant_{index}", [1, 3, 4, 7], [[1, 3, 4, 5]], "BATCH_MATMUL", lambda n, right=right: [real(n, *right)],
           options, "BatchMatMulOptions")
    float_case(f"batch_matmul_{index}", [[1, 3, 4, 7], [1, 1, *right]], [[1, 3, 4, 5]], ("BATCH_MATMUL", lambda n, a, b: [a, b]), options,
               "BatchMatMulOptions")
    float_case(f"batch_matmul_first_{index}", [[1, 7, 4]], [[1, 5, 4]],
               ("BATCH_MATMUL", lambda n, x, right=right: [real(n, 1, *right), x]), {"adjX": not adjoint, "adjY": False}, "BatchMatMulOptions")
float_case("split", [[1, 4, 6]], [[1, 4, 3], [1, 4, 3]], ("SPLIT", lambda n, x: [n.integers(2), x]), {"numSplits": 2}, "SplitOptions")
float_case("split_v", [[1, 4, 6]], [[1, 1, 6], [1, 3, 6]], ("SPLIT_V", lambda n, x: [x, n.integers([1, 3]), n.integers(1)]),
           {"numSplits": 2}, "SplitVOptions")
simple("unpack", [1, 3, 4], [[1, 4]] * 3, "UNPACK", lambda n: [], {"num": 3, "axis": 1}, "UnpackOptions")
float_case("pack", [[1, 4], [1, 4]], [[1, 2, 4]], ("PACK", lambda n, a, b: [a, b]), {"valuesCount": 2, "axis": 1}, "PackOptions")
simple("slice", [1, 5, 6, 3], [[1, 2, 6, 2]], "SLICE", lambda n: [n.integers([0, 1, 0, 1]), n.integers([1, 2, -1, 2])])
simple("strided_slice", [1, 5, 6, 3], [[1, 2, 3]], "STRIDED_SLICE",
       lambda n: [n.integers([0, 1, -2]), n.integers([1, 5, -1]), n.integers([1, 2, 1])], {"beginMask": 1, "shrinkAxisMask": 4},
       "StridedSliceOptions")
simple("strided_slice_back", [1, 5, 6, 3], [[1, 5, 3, 3]], "STRIDED_SLICE",
       lambda n: [n.integers([0, 9, -1]), n.integers([1, 0, 0]), n.integers([1, -1, -2])], {"beginMask": 2, "endMask": 2},
       "StridedSliceOptions")
simple("reverse", [1, 5, 6, 3], [[1, 5, 6, 3]], "REVERSE_V2", lambda n: [n.integers([2, 1])])
simple("prelu", [1, 5, 6, 3], [[1, 5, 6, 3]], "PRELU", lambda n: [real(n, 1, 1, 3)])
for index, (size, aligned, half) in enumerate([([10, 12], False, True), ([3, 4], False, False), ([9, 11], True, False)]):
    for operator, kind in [("RESIZE_BILINEAR", "ResizeBilinearOptions"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")]:
        simple(f"{operator.lower()}_{index}", [1, 5, 6, 3], [[1, *size, 3]], operator, lambda n, size=size: [n.integers(size)],
               {"alignCorners": aligned, "halfPixelCenters": half}, kind)
float_case("add_repeated", [[1, 3, 4, 5], [1, 1, 1, 5]], [[1, 3, 4, 5]], ("ADD", lambda n, a, b: [a, b]), {"fusedActivationFunction": 1},
           "AddOptions")
simple("mean", [1, 5, 6, 3], [[1, 5, 6]], "MEAN", lambda n: [n.integers([3])], {"keepDims": False}, "ReducerOptions")
simple("gather_constant", [1, 5, 3], [[1, 4, 3]], "GATHER", lambda n: [n.integers([4, 0, 0, 2])], {"axis": 1}, "GatherOptions")

for index, (operator, kind) in enumerate([("ARG_MAX", "ArgMaxOptions"), ("ARG_MIN", "ArgMinOptions")]):
    @case("float", operator.lower())
    def _(n, operator=operator, kind=kind):
        x = n.input([1, 4, 7], None, 0, np.float32)
        n.output([1, 4], None, 0, np.int32)
        made = {0: n.random.permutation(28).reshape(1, 4, 7) / 28}
        return (operator, [x, n.integers(2)], {"outputType": s.TensorType.INT32}, kind), made

for index, (operator, options, kind) in enumerate([("GATHER", {"axis": 0}, "GatherOptions"), ("EMBEDDING_LOOKUP", {}, None)]):
    @case("float", operator.lower())
    def _(n, operator=operator, options=options, kind=kind):
        indices, table = n.input([5], None, 0, np.int32), real(n, 7, 4)
        n.output([5, 4], None, 0, np.float32)
        inputs = [table, indices] if operator == "GATHER" else [indices, table]
        return (operator, inputs, options, kind), {0: [6, 0, 3, 3, 1]}

for index, time_major in enumerate([False, True]):
    @case("float", f"lstm_{index}")
    def _(n, time_major=time_major):
        time, size, units = 9, 6, 5
        shape = [time, 1] if time_major else [1, time]
        x = n.input([*shape, size], None, 0, np.float32)
        n.output([*shape, units], None, 0, np.float32)
        weights = [real(n, units, size) for _ in range(4)] + [real(n, units, units, scale=0.6) for _ in range(4)]
        biases = [real(n, units, scale=0.5) for _ in range(4)]
        states = [n.tensor([1, units], np.float32) for _ in range(2)]
        for state in states:
            n.tensors[state].isVariable = True
        inputs = [x, *weights, -1, -1, -1, *biases, -1, -1, *states]
        options = {"fusedActivationFunction": 4, "cellClip": 1.5 if time_major else 0.0, "timeMajor": time_major}
        return "UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, options, "UnidirectionalSequenceLSTMOptions"


for index, (time_major, merged) in enumerate([(True, True), (False, False)]):
    @case("float", f"bidirectional_lstm_{index}")
    def _(n, time_major=time_major, merged=merged):
        time, size, units = 7, 6, 5
        shape = [time, 1] if time_major else [1, time]
        x = n.input([*shape, size], None, 0, np.float32)
        for _ in range(1 if merged else 2):
            n.output([*shape, units * (2 if merged else 1)], None, 0, np.float32)
        inputs = [x]
        for _ in range(2):
            inputs += [real(n, units, size) for _ in range(4)] + [real(n, units, units, scale=0.6) for _ in range(4)]
            inputs += [-1, -1, -1, *[real(n, units, scale=0.5) for _ in range(4)], -1, -1]
        states = [n.tensor([1, units], np.float32) for _ in range(4)]
        for state in states:
            n.tensors[state].isVariable = True
        inputs += [*states, *[-1] * 9]
        options = {"fusedActivationFunction": 4, "mergeOutputs": merged, "timeMajor": time_major}
        return "BIDIRECTIONAL_SEQUENCE_LSTM", inputs, options, "BidirectionalSequenceLSTMOptions"

for index, (time_major, activation) in enumerate([(True, 4), (False, 1)]):
    @case("float", f"rnn_{index}")
    def _(n, time_major=time_major, activation=activation):
        shape = [7, 1] if time_major else [1, 7]
        x = n.input([*shape, 6], None, 0, np.float32)
        n.output([*shape, 5], None, 0, np.float32)
        state = n.tensor([1, 5], np.float32)
        n.tensors[state].isVariable = True
        inputs = [x, real(n, 5, 6), real(n, 5, 5, scale=0.4), real(n, 5, scale=0.5), state]
        options = {"timeMajor": time_major, "fusedActivationFunction": activation}
        return "UNIDIRECTIONAL_SEQUENCE_RNN", inputs, options, "SequenceRNNOptions"


def main(folder):
    for group, cases in GROUPS.items():
        arrays = {}
        for seed, (name, build) in enumerate(cases):
            network = Network(seed)
            built = build(network)
            arguments, made = built if isinstance(built[0], tuple) else (built, {})
            for version in range(12, 0, -1):  # the newest that the runtime has
                try:
                    found = network.run(network.finish(*arguments, version=version), made)
                except Exception as error:
                    if "Didn't find op" in str(error) and version > 1:
                        continue
                    print(f"{group}/{name}: {' '.join(str(error).splitlines())[:300]}")  # what LiteRT refuses is no case
                else:
                    arrays.update({f"{name}/{key}": value for key, value in found.items()})
                break
        np.savez_compressed(f"{folder}/{group}.npz", **arrays)
        print(f"{group}: {len(arrays)} arrays")


if __name__ == "__main__":
    main(sys.argv[1])
