"""Exports the networks of this folder to ONNX and compares what ONNX Runtime answers with what PyTorch did.

    pip install numpy onnx onnxruntime safetensors
    python check_onnx.py path/to/ackermann
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

HERE = Path(__file__).parent
for name in ["mlp", "cnn", "lstm", "attention", "cnn_lstm"]:
    with tempfile.TemporaryDirectory() as folder:
        run, file = Path(folder) / "run", Path(folder) / "net.onnx"
        weights, network = HERE / f"{name}.safetensors", HERE / f"{name}.json"
        subprocess.run([sys.argv[1], "import-weights", weights, "--net", network, "--out", run], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([sys.argv[1], "export", run, "--to", file], check=True, stdout=subprocess.DEVNULL)
        onnx.checker.check_model(onnx.load(file), full_check=True)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    answers = load_file(HERE / f"{name}.answers.safetensors")
    x = np.moveaxis(answers["input"], -1, -3) if answers["input"].ndim >= 4 else answers["input"]
    x = x.astype(np.int64) if session.get_inputs()[0].type == "tensor(int64)" else np.ascontiguousarray(x)
    off = np.abs(session.run(None, {"input": x})[0] - answers["output"]).max()
    print(f"{name}: off by at most {off:.1e}")
    assert off < 1e-5, name
