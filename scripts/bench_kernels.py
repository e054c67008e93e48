"""The Python half of bench-kernels: PyTorch's times, the machine's name on each record, and the table."""

import collections
import json
import os
import platform
import statistics
import sys
import time


def torch_record(stem, mode, side, batch, width, repeats, variant, threads):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(1)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.down = None
            if stride != 1 or inputs != outputs:
                self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            shortcut = x if self.down is None else self.down(x)
            y = F.relu(self.bn1(self.conv1(x)))
            return F.relu(self.bn2(self.conv2(y)) + shortcut)

    small = stem == "small"
    layers = [nn.Conv2d(3, width, 3, 1, 1, bias=False) if small else nn.Conv2d(3, width, 7, 2, 3, bias=False)]
    layers += [nn.BatchNorm2d(width), nn.ReLU()]
    if not small:
        layers.append(nn.MaxPool2d(3, 2, 1))
    inputs = width
    for outputs, stride in [(width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)]:
        layers += [Block(inputs, outputs, stride), Block(outputs, outputs, 1)]
        inputs = outputs
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))
    images = torch.randn(batch, 3, side, side)
    labels = (torch.arange(batch) * 7) % 10
    if variant != "nchw":
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    if mode == "train-adamw":
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.01)
    else:
        optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=variant == "bf16")

    def train():
        optimizer.zero_grad()
        with autocast:
            loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    def infer():
        with torch.no_grad(), autocast:
            network(images)

    training = mode != "infer"
    step = train if training else infer
    network.train(training)
    # The second step still allocates what the first one did not keep.
    step()
    step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times)
    return {
        "side": "pytorch", "kernels": variant, "version": torch.__version__, "stem": stem, "mode": mode, "image": side,
        "batch": batch, "width": width, "images_per_second": round(batch / seconds, 2), "seconds": round(seconds, 5),
    }


def machine():
    model = platform.processor() or platform.machine()
    flags = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    model = value.strip()
                elif key.strip() == "flags":
                    flags = " ".join(f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in value.split())
    except OSError:
        pass
    return {"cpu": model, "features": flags, "cores": os.cpu_count()}


def stamp(threads):
    record = json.loads(sys.stdin.read())
    load = round(os.getloadavg()[0], 2)
    print(json.dumps(record | {"session": os.environ.get("BENCH_SESSION"), "threads": threads, "load": load} | machine()))


def table(path, session):
    rates = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path, encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record["session"] == session:
                setting = tuple(record[key] for key in ("stem", "mode", "image", "batch", "width"))
                rates[setting][record["side"], record["kernels"]].append(record["images_per_second"])
    sides = [("autoal", kernels) for kernels in ("best", "avx2", "stock", "bf16")]
    sides += [("pytorch", variant) for variant in ("nchw", "channels-last", "bf16")]
    print("images/s | " + " | ".join(f"{a} {b}" for a, b in sides) + " | f32 / PyTorch's better f32 | bf16 / PyTorch bf16")
    print("---|" * (len(sides) + 2) + "---")
    for (stem, mode, image, batch, width), by_side in rates.items():
        medians = [statistics.median(by_side[side]) if by_side[side] else float("nan") for side in sides]
        ratios = medians[0] / max(medians[4], medians[5]), medians[3] / medians[6]
        cells = " | ".join(f"{value:.1f}" for value in medians)
        print(f"{stem} {mode} 3x{image}x{image} b{batch} w{width} | {cells} | {ratios[0]:.2f} | {ratios[1]:.2f}")


def main():
    command, *arguments = sys.argv[1:]
    if command == "torch":
        stem, mode, *numbers, variant, threads = arguments
        print(json.dumps(torch_record(stem, mode, *map(int, numbers), variant, int(threads))))
    elif command == "stamp":
        stamp(int(arguments[0]))
    else:
        table(*arguments)


if __name__ == "__main__":
    main()
