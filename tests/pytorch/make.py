"""Small networks made with PyTorch: their `state_dict`s, what they answer on random inputs, and the same networks as `ackermann` writes them.

    pip install torch numpy safetensors
    python make.py FOLDER

writes for each network FOLDER/NAME.safetensors (the state_dict, as `safetensors.torch.save_file` writes it), FOLDER/NAME.json (the layers)
and FOLDER/NAME.answers.safetensors (`input`, `output`; pictures with their channels last). All values follow from the seeds below.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn


def padding(pixels):
    return {"top": pixels, "bottom": pixels, "left": pixels, "right": pixels}


def conv(filters, kernel, stride=1, pad=0, dilation=1, groups=1, bias=True):
    return {"conv2d": {"filters": filters, "kernel": [kernel] * 2, "stride": [stride] * 2, "padding": padding(pad),
                       "dilation": [dilation] * 2, "groups": groups, "bias": bias}}


def depthwise(kernel, multiplier=1, pad=0):
    return {"depthwise_conv2d": {"multiplier": multiplier, "kernel": [kernel] * 2, "stride": [1, 1], "padding": padding(pad)}}


def deconv(filters, kernel, stride, pad, more):
    return {"conv_transpose2d": {"filters": filters, "kernel": [kernel] * 2, "stride": [stride] * 2, "padding": padding(pad),
                                 "more": [more] * 2}}


def dense(outputs, bias=True):
    return {"dense": {"outputs": outputs, "bias": bias}}


class Chain(nn.Module):
    """Modules one after another under their names."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        for module in self.children():
            x = module(x)
        return x


class Residual(nn.Module):
    def __init__(self, main, shortcut=None):
        super().__init__()
        self.main = main
        if shortcut is not None:
            self.shortcut = shortcut

    def forward(self, x):
        return self.main(x) + (self.shortcut(x) if hasattr(self, "shortcut") else x)


class Branches(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        for at, branch in enumerate(branches):
            self.add_module(str(at), branch)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], 1)


class EachStep(Chain):
    """Modules applied to every step of a sequence."""

    def forward(self, x):
        y = super().forward(x.flatten(0, 1))
        return y.unflatten(0, x.shape[:2])


class States(nn.Module):
    """What a recurrent layer gives: all its states, or the last one of each direction."""

    def __init__(self, name, layer, last):
        super().__init__()
        self.add_module(name, layer)
        self.last = last

    def forward(self, x):
        (layer,) = self.children()
        states, end = layer(x)
        end = end[0] if isinstance(end, tuple) else end
        return end.transpose(0, 1).flatten(1) if self.last else states


class SelfAttention(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


def mlp():
    # The numbers of nn.Sequential are its names.
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    layers = [dense(16), "relu", dense(16), "tanh", dense(1)]
    return net, [2], "numbers", layers, torch.randn(5, 2)


def cnn():
    net = Chain(
        conv1=nn.Conv2d(3, 8, 3, 2, 1, bias=False), bn1=nn.BatchNorm2d(8), relu1=nn.ReLU(),
        depthwise1=nn.Conv2d(8, 8, 3, 1, 1, groups=8), bn2=nn.BatchNorm2d(8), hardswish1=nn.Hardswish(),
        residual1=Residual(
            Chain(conv1=nn.Conv2d(8, 12, 3, 1, 1), bn1=nn.BatchNorm2d(12)), Chain(conv1=nn.Conv2d(8, 12, 1))),
        elu1=nn.ELU(), gelu1=nn.GELU(),
        branches1=Branches(
            Chain(conv1=nn.Conv2d(12, 4, 1)), Chain(conv1=nn.Conv2d(12, 6, 3, 1, 2, 2, groups=2), relu6_1=nn.ReLU6())),
        maxpool1=nn.MaxPool2d(3, 2, 1),
        deconv1=nn.ConvTranspose2d(10, 5, 3, 2, 1, 1), leaky_relu1=nn.LeakyReLU(0.1),
        flatten1=nn.Flatten(), bn3=nn.BatchNorm1d(5 * 4 * 6), fc1=nn.Linear(5 * 4 * 6, 10), gelu_tanh1=nn.GELU(approximate="tanh"),
        fc2=nn.Linear(10, 3, bias=False), softmax1=nn.Softmax(-1))
    layers = [
        conv(8, 3, 2, 1, bias=False), "batch_norm", "relu", depthwise(3, pad=1), "batch_norm", "hard_swish",
        {"residual": {"main": [conv(12, 3, 1, 1), "batch_norm"], "shortcut": [conv(12, 1)]}}, "elu", "gelu",
        {"branches": {"branches": [[conv(4, 1)], [conv(6, 3, 1, 2, 2, groups=2), "relu6"]]}},
        {"max_pool": {"kernel": [3, 3], "stride": [2, 2], "padding": padding(1)}},
        deconv(5, 3, 2, 1, 1), {"leaky_relu": {"slope": 0.1}}, "flatten", "batch_norm", dense(10), "gelu_tanh", dense(3, False), "softmax"]
    return net, [8, 12, 3], "pixels", layers, torch.randn(3, 3, 8, 12)


def lstm():
    net = nn.Sequential(OrderedDict(
        one=States("lstm1", nn.LSTM(6, 10, batch_first=True, bidirectional=True), False),
        two=States("lstm2", nn.LSTM(20, 7, batch_first=True), True), three=Chain(fc1=nn.Linear(7, 4))))
    layers = [{"lstm": {"units": 10, "bidirectional": True}}, {"lstm": {"units": 7, "sequence": False}}, dense(4)]
    return net, [9, 6], "numbers", layers, torch.randn(3, 9, 6)


def attention():
    net = nn.Sequential(OrderedDict(
        one=Chain(embedding1=nn.Embedding(20, 8)),
        two=Chain(residual1=Residual(Chain(attention1=SelfAttention(8, 2, batch_first=True))), ln1=nn.LayerNorm(8)),
        three=States("gru1", nn.GRU(8, 6, batch_first=True, bidirectional=True), False),
        four=States("rnn1", nn.RNN(12, 5, batch_first=True), False), five=Chain(mean1=Mean(), silu1=nn.SiLU(), fc1=nn.Linear(5, 2))))
    layers = [
        {"embedding": {"vocabulary": 20, "size": 8}}, {"residual": {"main": [{"attention": {"heads": 2}}]}}, "layer_norm",
        {"gru": {"units": 6, "bidirectional": True}}, {"rnn": {"units": 5}}, "mean", "silu", dense(2)]
    return net, [7], {"tokens": {"vocabulary": 20}}, layers, torch.randint(0, 20, (3, 7))


def cnn_lstm():
    """Flattened pictures meet the columns of a recurrent layer."""
    net = nn.Sequential(OrderedDict(
        one=Chain(time1=EachStep(conv1=nn.Conv2d(2, 4, 3), relu1=nn.ReLU(), flatten1=nn.Flatten())),
        two=States("lstm1", nn.LSTM(4 * 3 * 4, 5, batch_first=True), True), three=Chain(fc1=nn.Linear(5, 1), tanh1=nn.Tanh())))
    layers = [
        {"time_distributed": {"layers": [conv(4, 3), "relu", "flatten"]}}, {"lstm": {"units": 5, "sequence": False}}, dense(1), "tanh"]
    return net, [4, 5, 6, 2], "numbers", layers, torch.randn(3, 4, 2, 5, 6)


def channels_last(x):
    return x.movedim(-3, -1) if x.ndim >= 4 else x


def plain(name):
    """Without the modules that only group others here."""
    parts = name.split(".")
    return ".".join(part for part in parts if part not in {"one", "two", "three", "four", "five"})


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, make in enumerate([mlp, cnn, lstm, attention, cnn_lstm]):
        torch.manual_seed(seed)
        net, shape, kind, layers, x = make()
        for name, buffer in net.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.3)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
        for parameter in net.parameters():
            if parameter.ndim == 1:
                parameter.data.add_(torch.randn_like(parameter) * 0.2)
        net.eval()
        with torch.no_grad():
            y = net(x)
        name = make.__name__
        state = {plain(key): value.contiguous() for key, value in net.state_dict().items()}
        save_file(state, folder / f"{name}.safetensors", {"format": "pt"})
        answers = {"input": channels_last(x).float().contiguous(), "output": channels_last(y).contiguous()}
        save_file(answers, folder / f"{name}.answers.safetensors")
        network = {"name": name, "input": shape, "kind": kind, "layers": layers}
        (folder / f"{name}.json").write_text(json.dumps(network, indent=1) + "\n")
        print(f"{name}: {sum(value.numel() for value in state.values())} numbers, answers {[round(v, 4) for v in y.flatten().tolist()[:3]]}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
