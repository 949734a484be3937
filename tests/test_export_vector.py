"""to_c, form "vector": compilers make instructions on whole registers of its loops."""

import platform
import re
import shutil

import exports
import pytest

from fastbutterfly import export, nn

# Where NEON has 32-bit ARM's arithmetic, compilers use it only if told that they may.
UNSAFE = "-ftree-vectorize", "-funsafe-math-optimizations"
NEON = "-mcpu=cortex-a9", "-mfpu=neon", "-mfloat-abi=hard"
BUILDS = {
    "gcc, SSE": (["gcc"], r"\tmulps\t"),
    "gcc, NEON": (["arm-none-eabi-gcc", *NEON, *UNSAFE], r"\tv(mul|mla)\.f32\tq"),
    "clang, 64-bit NEON": (
        ["clang", "--target=aarch64-linux-gnu", "-ffreestanding"],
        r"\tf(mul|mla)\tv\d+\.4s",
    ),
}


@pytest.mark.parametrize("build", BUILDS)
def test_loops_become_vector_instructions(tmp_path, build):
    (compiler, *flags), packed = BUILDS[build]
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    version = exports.run([compiler, "-dumpversion"]).decode()
    if "gcc" in compiler and int(version.partition(".")[0]) < 12:
        pytest.skip("gcc makes them with -O2 from version 12 on")
    if "SSE" in build and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("this CPU has no SSE")
    net = nn.Sequential(nn.ButterflyLinear(256, 256, rng=0), nn.ReLU())
    made = export.to_c(net, tmp_path, form="vector")
    layers = re.findall(r"static void butterfly_\d+_\d+\(", made.source.read_text())
    assert len(layers) == 5  # of 8; three turned ones are as some others
    command = [compiler, *exports.STRICT, *flags, "-O2", "-S", "-o", "-", "model.c"]
    text = exports.run(command, tmp_path).decode()
    assert len(re.findall(packed, text)) >= 4 * len(layers)
