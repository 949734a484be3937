"""Digits on a microcontroller: networks as C for a Cortex-M4, run in an emulator.

A dense network and one of butterflies, with layers of 256, are trained on digits of
scikit-learn, 8 x 8 pixels, and exported in floating point and in integers. Each is
compiled with arm-none-eabi-gcc -O2 for a Cortex-M4, with and without its floating-point
unit, and classifies the test images in QEMU's board mps2-an386. What comes out is
compared with Python: integers to the bit, floating point up to rounding.

Flash and RAM are what the model and the library functions it needs add to an empty
program, without stack. Instructions, not cycles, are counted: QEMU does not know the
latter. Needs gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm (Debian's
names), else it says so and stops. Takes half a minute.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastbutterfly import export, nn
from fastbutterfly._base import machine

BOARD = Path(__file__).parent / "firmware"
RESULTS = Path(__file__).parent / "results"
TOOLS = {"arm-none-eabi-gcc": "gcc-arm-none-eabi", "qemu-system-arm": "qemu-system-arm"}
CPU = ["-mcpu=cortex-m4", "-mthumb"]
UNITS = {
    "hard": ["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "soft": ["-mfloat-abi=soft"],
}
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
LINK = ["-nostartfiles", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
EMULATOR = [
    *("qemu-system-arm", "-M", "mps2-an386", "-cpu", "cortex-m4", "-display", "none"),
    *("-semihosting-config", "enable=on,target=native,chardev=text"),
    *("-chardev", "stdio,id=text", "-monitor", "none", "-serial", "none"),
    *("-icount", "shift=0"),
]
INSTRUCTIONS_A_TICK = 40  # of 25 MHz, at 1 ns an instruction
WAYS = {  # dtype and options of to_c, floating-point unit
    "float32": ({"dtype": "float32"}, "hard"),
    "float32, no FPU": ({"dtype": "float32"}, "soft"),
    "int16": ({"dtype": "int16", "floats": False}, "soft"),
    "int8": ({"dtype": "int8", "floats": False}, "soft"),
}


def main():
    """Train, export, run; print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few epochs and images")
    parser.add_argument("--out", type=Path, help="default: studies/results")
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print(f"skipped: {lacking}")
        return
    data = load_digits()
    images = (data.data - 5) / 6
    split = train_test_split(images, data.target, test_size=360, random_state=0)
    x_train, x_test, y_train, y_test = split
    if options.quick:
        x_test, y_test = x_test[:40], y_test[:40]
    rows = []
    for name, net in networks().items():
        train(net, x_train, y_train, 2 if options.quick else 40)
        for way in WAYS:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(row(name, way, Path(folder), net, x_train, x_test, y_test))
            print(", ".join(f"{key}: {value}" for key, value in rows[-1].items()))
    if not options.quick or options.out:
        write(options.out or RESULTS, rows)


def networks():
    """The networks by name; their weights are drawn from one seed each."""
    wide = 256
    return {
        "dense": nn.Sequential(
            *(nn.Dense(64, wide, rng=0), nn.ReLU(), nn.Dense(wide, wide, rng=1)),
            *(nn.ReLU(), nn.Dense(wide, 10, rng=2)),
        ),
        "butterfly": nn.Sequential(
            *(nn.ButterflyLinear(64, wide, rng=0), nn.ReLU()),
            *(nn.ButterflyLinear(wide, wide, rng=1), nn.ReLU()),
            nn.Dense(wide, 10, rng=2),
        ),
    }


def train(net, x, y, epochs):
    """Train a network in place."""
    steps = epochs * -(-len(x) // 64)
    nn.fit(
        net,
        x,
        y,
        loss=nn.CrossEntropy(),
        optimizer=nn.Adam(nn.cosine(2e-3, steps)),
        epochs=epochs,
        batch_size=64,
        rng=0,
    )


def row(name, way, folder, net, x_train, x, y):
    """One line of the table; stops if the device computes something else."""
    options, unit = WAYS[way]
    run = on_device(net, folder, unit, x, calibration=x_train, **options)
    check(run, options["dtype"])
    flash, ram = run.size
    return {
        "network": name,
        "as": way,
        "test accuracy %": round(100 * float(np.mean(run.classes == y)), 2),
        "flash bytes": flash,
        "of these weights": run.made.flash,
        "RAM bytes": ram,
        "instructions": int(run.instructions),
    }


@dataclass(frozen=True)
class Found:
    """What a device computed, and what Python did."""

    scores: np.ndarray
    classes: np.ndarray
    expected: np.ndarray
    instructions: float
    size: tuple[int, int]
    made: export.CExport


def on_device(net, folder, unit, x, *, calibration=None, floats=True, **options):
    """Export, compile and run a network."""
    model, integers = net, options.get("dtype", "float32").startswith("int")
    if integers:
        model = export.quantize(net, calibration, dtype=options["dtype"])
    made = export.to_c(model, folder, samples=x, floats=floats, **options)
    x = x.astype(np.float32)
    if not integers:
        expected = net(x)
    elif floats:
        expected = export.emulate(model, x)
    else:
        x = np.clip(np.rint(x * model.input_scale), -32768, 32767).astype(np.int16)
        expected = model.integers(x)
    scores, classes, ticks = run(folder, unit, x)
    used = INSTRUCTIONS_A_TICK * float(np.mean(ticks))
    return Found(scores, classes, expected, used, size(folder, unit), made)


def check(run, dtype):
    """Raise if a device computed something else than Python."""
    y, z = run.scores.astype(float), run.expected.astype(float)
    tolerance = 0 if dtype.startswith("int") else 1e-5 * np.abs(z).max()
    if np.abs(y - z).max() > tolerance:
        raise RuntimeError(f"the device is off by {np.abs(y - z).max()}")
    if np.any(run.classes != y.argmax(axis=1)):
        raise RuntimeError("the device's classes are not those of its scores")


def missing():
    """Say which tools are missing, or an empty text."""
    packages = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if "gcc-arm-none-eabi" not in packages:
        library = command(["arm-none-eabi-gcc", "-print-file-name=libm.a"]).strip()
        if not Path(library).is_absolute():
            packages.append("libnewlib-arm-none-eabi")
    return f"needs {', '.join(packages)}" if packages else ""


def command(words, **options):
    """What a command prints; raise with its error output if it fails."""
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stdout[-500:]}{done.stderr}")
    return done.stdout


def run(folder, unit, x):
    """Scores, classes and ticks of samples, with the model in the folder."""
    kind = "float" if x.dtype == np.float32 else "int16_t"
    literal = (lambda v: f"{v!s}f") if kind == "float" else str
    rows = ",\n".join("{" + ", ".join(map(literal, row)) + "}" for row in x)
    (folder / "samples.h").write_text(
        f"#define COUNT {len(x)}\ntypedef {kind} number;\n"
        f"static const number samples[COUNT][MODEL_INPUTS] = {{\n{rows}\n}};\n"
    )
    elf = build(folder, unit, "scores", "-DMODEL_SELFTEST")
    text = command(
        [*EMULATOR, "-kernel", elf],
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    words = [[int(word, 16) for word in line.split()] for line in text.splitlines()]
    words = np.array(words, np.uint32)
    scores = np.ascontiguousarray(words[:, :-2])
    if kind == "float":
        scores = scores.view(np.float32)
    else:
        scores = scores.astype(np.uint16).view(np.int16)
    return scores, words[:, -2].astype(int), words[:, -1].astype(int)


def build(folder, unit, program, *flags):
    """Link a program of the board with the model in the folder."""
    elf = folder / f"{program}.elf"
    sources = [BOARD / f"{program}.c", BOARD / "board.c", folder / "model.c"]
    include = f"-I{folder}", f"-I{BOARD}", f"-T{BOARD / 'board.ld'}"
    flags = *CPU, *UNITS[unit], *STRICT, "-O2", *LINK, *flags
    command(["arm-none-eabi-gcc", *flags, *include, *sources, "-lm", "-o", elf])
    return elf


def size(folder, unit):
    """Bytes of flash and RAM that the model adds to an empty program."""
    sizes = []
    for flags in (), ("-DWITH_MODEL",):
        elf = build(folder, unit, "model_only", *flags)
        line = command(["arm-none-eabi-size", elf]).splitlines()[1]
        text, data, bss = map(int, line.split()[:3])
        sizes.append((text + data, data + bss))
    return tuple(more - less for less, more in zip(*sizes, strict=True))


def write(folder, rows):
    """Write the results."""
    folder.mkdir(parents=True, exist_ok=True)
    tools = {tool: command([tool, "--version"]).splitlines()[0] for tool in TOOLS}
    content = {"machine": machine.describe(), "tools": tools, "rows": rows}
    path = folder / "firmware.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
