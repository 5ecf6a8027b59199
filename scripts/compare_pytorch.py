"""Both sides of scripts/compare-pytorch: as `--worker NETWORK` PyTorch's own, else the one that runs both and compares.

The two sides start from the same weights and train on the same batch (both follow from `noise`), so the losses must agree: the first to
rounding, the later ones nearly. A worker reads a number of steps per line and answers with one line of JSON. The sides take turns, and
while one runs the other sleeps, so that a busy machine disturbs both alike. The median turn counts.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BATCH = 32
NETWORKS = ["pilotnet", "resnet8", "ds-cnn", "lstm"]


def noise(count, seed):
    """Numbers in [-1, 1), the same as in trainer/examples/train_speed.rs."""
    import numpy

    at = numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(seed * 1000003)
    mixed = (at * numpy.uint64(2654435761)) % numpy.uint64(1 << 32)
    mixed = ((mixed ^ (mixed >> numpy.uint64(15))) * numpy.uint64(2246822519)) % numpy.uint64(1 << 32)
    return ((mixed >> numpy.uint64(8)).astype(numpy.float64) / (1 << 23) - 1.0).astype(numpy.float32)


def build(network):
    """The module, the shape of an input (batch first, NHWC) and how many classes (0: squared error)."""
    import torch
    from torch import nn

    def conv(i, o, kernel, stride=1, padding=0):
        return nn.Conv2d(i, o, kernel, stride, padding)

    def normalized(i, o, kernel, stride=1, padding=0, groups=1):
        return [nn.Conv2d(i, o, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(o)]

    class Block(nn.Module):
        def __init__(self, i, o, stride):
            super().__init__()
            self.main = nn.Sequential(*normalized(i, o, 3, stride, 1), nn.ReLU(), *normalized(o, o, 3, 1, 1))
            self.short = conv(i, o, 1, stride) if i != o else None

        def forward(self, x):
            return torch.relu(self.main(x) + (x if self.short is None else self.short(x)))

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(64, 128, batch_first=True)

        def forward(self, x):
            return self.lstm(x)[0][:, -1]

    if network == "pilotnet":
        layers, last = [], 3
        for filters, kernel, stride in [(24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1)]:
            layers += [conv(last, filters, kernel, stride), nn.ReLU()]
            last = filters
        layers.append(nn.Flatten())
        for a, b in [(1152, 100), (100, 50), (50, 10), (10, 1)]:
            layers += [nn.Linear(a, b), nn.ReLU()]
        return nn.Sequential(*layers[:-1]), [BATCH, 66, 200, 3], 0
    if network == "resnet8":
        blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
        head = [nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10)]
        return nn.Sequential(*normalized(3, 16, 3, 1, 1), nn.ReLU(), *blocks, *head), [BATCH, 32, 32, 3], 10
    if network == "ds-cnn":
        # TensorFlow's `same`: 49x10 to 25x5.
        layers = [nn.ZeroPad2d((1, 1, 4, 5)), *normalized(1, 64, (10, 4), 2), nn.ReLU()]
        for _ in range(4):
            layers += [*normalized(64, 64, 3, 1, 1, groups=64), nn.ReLU(), *normalized(64, 64, 1), nn.ReLU()]
        layers += [nn.AvgPool2d((25, 5)), nn.Flatten(), nn.Linear(64, 12)]
        return nn.Sequential(*layers), [BATCH, 49, 10, 1], 12
    return Last(), [BATCH, 100, 64], 0


def fill(module):
    """Weights from `noise`, in the order and the layout of this project."""
    import torch
    from torch import nn

    flat = {1152: (64, 1, 18)}
    seed = 1
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                continue
            for name, value in part.named_parameters(recurse=False):
                scale = 0.05 if value.dim() == 1 else (6 / value[0].numel()) ** 0.5
                if isinstance(part, nn.LSTM):
                    scale = 0.088
                numbers = torch.from_numpy(noise(value.numel(), seed)) * scale
                if value.dim() == 4:
                    o, i, h, w = value.shape
                    numbers = numbers.reshape(o, h, w, i).permute(0, 3, 1, 2)
                elif value.dim() == 2 and value.shape[1] in flat:
                    c, h, w = flat[value.shape[1]]
                    numbers = numbers.reshape(-1, h, w, c).permute(0, 3, 1, 2)
                value.copy_(numbers.reshape(value.shape))
                seed += 1


def worker(network, threads):
    import torch

    idle = resident()
    torch.set_num_threads(threads)
    module, shape, classes = build(network)
    fill(module)
    x = torch.from_numpy(noise(torch.Size(shape).numel(), 1000)).reshape(shape)
    x = x.permute(0, 3, 1, 2).contiguous() if len(shape) == 4 else x
    with torch.no_grad():
        outputs = module.eval()(x).shape[1]
    module.train()
    if classes:
        target, loss_of = torch.arange(BATCH) % classes, torch.nn.CrossEntropyLoss()
    else:
        target, loss_of = torch.from_numpy(noise(BATCH * outputs, 2000)).reshape(BATCH, outputs), torch.nn.MSELoss()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    for line in sys.stdin:
        losses, start = [], time.perf_counter()
        for _ in range(int(line)):
            optimizer.zero_grad()
            loss = loss_of(module(x), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        usage = resource.getrusage(resource.RUSAGE_SELF)
        answer = {
            "seconds": time.perf_counter() - start,
            "cpu": usage.ru_utime + usage.ru_stime,
            "losses": losses,
            "parameters": sum(p.numel() for p in module.parameters()),
            "peak": usage.ru_maxrss * 1024,
            "idle": idle,
        }
        print(json.dumps(answer), flush=True)


def resident():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Side:
    """A worker, and what it answered."""

    def __init__(self, command, threads):
        variables = dict.fromkeys(["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], str(threads))
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env={**os.environ, **variables}
        )
        self.seconds, self.cpu, self.losses, self.last = [], [], [], {}

    def run(self, steps, counts=True):
        before = self.last.get("cpu", 0)
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare-pytorch: {' '.join(map(str, self.process.args))} ended early")
        self.last = json.loads(line)
        self.losses += self.last["losses"]
        if counts:
            self.seconds.append(self.last["seconds"] / steps)
            self.cpu.append((self.last["cpu"] - before) / steps)

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def summary(self):
        seconds = statistics.median(self.seconds)
        return {
            "ms_per_batch": 1e3 * seconds,
            "best_ms_per_batch": 1e3 * min(self.seconds),
            "cpu_ms_per_batch": 1e3 * statistics.median(self.cpu),
            "samples_per_second": BATCH / seconds,
            "peak_bytes": self.last["peak"],
            "training_bytes": self.last["peak"] - self.last["idle"],
            "parameters": self.last["parameters"],
        }


def compare(network, threads, seconds):
    ours = Side([REPOSITORY / "target/release/examples/train_speed", network], threads)
    theirs = Side([sys.executable, __file__, "--worker", network, "--threads", str(threads)], threads)
    both = [ours, theirs]
    for side in both:
        side.run(5, counts=False)
    same(network, ours, theirs)
    pace = []
    for side in both:
        side.run(5, counts=False)
        pace.append(side.last["seconds"] / 5)
    steps = max(1, int(0.25 / max(pace)))
    for _ in range(max(3, int(seconds / (steps * sum(pace) + 0.1)))):
        for side in both:
            # The other side's threads may spin for a moment before they sleep.
            time.sleep(0.05)
            side.run(steps)
    for side in both:
        side.close()
    first, last = ours.losses[0], ours.losses[-1]
    if not last < first:
        sys.exit(f"compare-pytorch: {network}: the loss does not fall: {first} to {last}")
    ratios = sorted(b / a for a, b in zip(ours.seconds, theirs.seconds))
    row = {"network": network, "ours": ours.summary(), "pytorch": theirs.summary()}
    row["speed_ratio"] = statistics.median(ratios)
    row["cpu_ratio"] = row["pytorch"]["cpu_ms_per_batch"] / row["ours"]["cpu_ms_per_batch"]
    row["memory_ratio"] = row["ours"]["peak_bytes"] / row["pytorch"]["peak_bytes"]
    row["training_memory_ratio"] = row["ours"]["training_bytes"] / row["pytorch"]["training_bytes"]
    return row


def same(network, ours, theirs):
    """Stops unless both do the same work."""
    if ours.last["parameters"] != theirs.last["parameters"]:
        sys.exit(f"compare-pytorch: {network}: {ours.last['parameters']} parameters here, {theirs.last['parameters']} in PyTorch")
    for at, (a, b) in enumerate(zip(ours.losses, theirs.losses)):
        allowed = 1e-4 if at == 0 else 1e-2
        if not abs(a - b) <= allowed * abs(b):
            sys.exit(f"compare-pytorch: {network}: loss of step {at} is {a} here, {b} in PyTorch")


def table(rows):
    head = ["network", "parameters", "ms/batch", "PyTorch", "samples/s", "PyTorch", "speed", "CPU ms", "PyTorch", "peak MiB", "PyTorch", "training MiB", "PyTorch"]
    lines = [head]
    for row in rows:
        a, b = row["ours"], row["pytorch"]
        cells = [row["network"], f"{a['parameters']:,}"]
        cells += [f"{side['ms_per_batch']:.1f}" for side in (a, b)]
        cells += [f"{side['samples_per_second']:.0f}" for side in (a, b)]
        cells.append(f"{row['speed_ratio']:.2f}x")
        cells += [f"{side['cpu_ms_per_batch']:.1f}" for side in (a, b)]
        for key in ("peak_bytes", "training_bytes"):
            cells += [f"{side[key] / 2**20:.0f}" for side in (a, b)]
        lines.append(cells)
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))))


def main():
    parser = argparse.ArgumentParser(prog="compare-pytorch", description="Speed and memory of a training step, here and in PyTorch.")
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK", help=f"of {', '.join(NETWORKS)}; all without")
    parser.add_argument("--threads", type=int, default=2, help="threads of each side (default 2)")
    parser.add_argument("--seconds", type=float, default=8, help="measuring time of a network (default 8)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments.worker, arguments.threads)
    for network in arguments.networks:
        if network not in NETWORKS:
            sys.exit(f"compare-pytorch: there is no network `{network}`; there are {', '.join(NETWORKS)}")
    rows = [compare(network, arguments.threads, arguments.seconds) for network in arguments.networks]
    if arguments.json:
        print(json.dumps({"batch": BATCH, "threads": arguments.threads, "networks": rows}, indent=2))
    else:
        print(f"batch {BATCH}, forward + backward + Adam, f32, {arguments.threads} threads; medians of interleaved turns")
        table(rows)


if __name__ == "__main__":
    main()
