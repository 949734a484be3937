"""How fast is exported C for one sample, against our own kernel and dense layers in C?

A layer n x n without bias, as C compiled by gcc: microseconds a sample in each form and
for integers, with -O2 and with -O3 -march=native; beside it the kernel that a network
uses for one sample (`kernel_us`), a prediction with all that Python adds to it
(`predict_us`), our dense layer in C, and a multilayer perceptron with n inputs and n
hidden numbers as emlearn writes it, float and -O3. `simd` and `neon` count arithmetic
instructions on whole registers that gcc makes of the form "vector" with -O2, for SSE,
and for NEON where aarch64-linux-gnu-gcc is installed.
"""

import os
import re
import shutil
import subprocess
import tempfile
import warnings
from contextlib import chdir, suppress
from pathlib import Path

import numpy as np
import script

from fastbutterfly import export, nn
from fastbutterfly.bench.timing import best_in_turn

FLAGS = {"O2": ["-O2"], "O3": ["-O3", "-march=native"]}
PACKED = {
    "simd": ("gcc", re.compile(r"\t(mul|add)ps\b")),
    "neon": ("aarch64-linux-gnu-gcc", re.compile(r"\tf(mul|mla|add)\tv\d+\.4s")),
}
MAIN = """
#include <stdio.h>
#include <time.h>
{include}
static {f} x[{n}], y[{n}];

int main(void)
{{
    double best = 1e9, begin = 0;
    for (int i = 0; i < {n}; i++)
        x[i] = ({f})(i % 7 - 3);
    for (int round = 0; begin < {seconds} || round < 5; round++) {{
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int k = 0; k < {calls}; k++) {{
            {call};
            x[k % {n}] += y[k % {n}] > 1000;
        }}
        clock_gettime(CLOCK_MONOTONIC, &b);
        const double t = (b.tv_sec - a.tv_sec) + 1e-9 * (b.tv_nsec - a.tv_nsec);
        best = t < best ? t : best;
        begin += t;
    }}
    printf("%.9g\\n", best / {calls});
    return 0;
}}
"""


def measure(n, seconds):
    """One row: microseconds of one sample."""
    rng = np.random.default_rng(0)
    layer = nn.ButterflyLinear(n, n, bias=False, rng=0)
    x = rng.standard_normal((200, n)).astype(np.float32)
    engine = layer._plan.rows(1, layer.dtype)
    packed = engine.pack(layer.weights.reshape(-1))

    def kernel(x):
        return engine.apply_vector(packed, x)

    best = best_in_turn(
        {"kernel": lambda: kernel(x[0]), "predict": lambda: layer(x[:1])}, seconds / 10
    )
    row = {"n": n} | {f"{name}_us": 1e6 * time for name, time in best.items()}
    made = {
        "loops": (layer, {"form": "loops"}),
        "vector": (layer, {"form": "vector"}),
        "int8": (layer, {"dtype": "int8", "samples": x, "floats": False}),
        "int16": (layer, {"dtype": "int16", "samples": x, "floats": False}),
        "dense": (nn.Dense(n, n, bias=False, rng=0), {"form": "vector"}),
    }
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, (net, options) in made.items():
            export.to_c(net, folder, **options)
            number = "float" if options.get("floats", True) else "int16_t"
            include, call = '#include "model.h"', "model_scores(x, y)"
            source = [include, number, call, ["model.c"]]
            for level, flags in FLAGS.items():
                row[f"{name}_{level}_us"] = _time(folder, n, *source, flags, seconds)
        export.to_c(layer, folder, form="vector")
        for name, (compiler, pattern) in PACKED.items():
            if shutil.which(compiler):
                row[name] = _packed(folder, compiler, pattern)
        try:
            source = _emlearn(folder, n)
            row["emlearn_us"] = _time(folder, n, *source, FLAGS["O3"], seconds)
        except ImportError as error:
            print(f"skipped emlearn: {error}")
    row["kernel_by_loops_O3"] = row["kernel_us"] / row["loops_O3_us"]
    row["kernel_by_vector_O2"] = row["kernel_us"] / row["vector_O2_us"]
    if "emlearn_us" in row:
        row["emlearn_by_loops_O3"] = row["emlearn_us"] / row["loops_O3_us"]
    return row


def _time(folder, n, include, number, call, sources, flags, seconds):
    fields = {"include": include, "f": number, "call": call, "n": n}
    calls = max(1, 20000 // n)
    text = MAIN.format(**fields, calls=calls, seconds=seconds / 20)
    (folder / "main.c").write_text(text)
    command = ["gcc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", *flags, "-o", "main"]
    subprocess.run([*command, "main.c", *sources, "-lm"], cwd=folder, check=True)
    return 1e6 * float(subprocess.run([folder / "main"], capture_output=True).stdout)


def _packed(folder, compiler, pattern):
    """How many such instructions there are."""
    command = [compiler, "-std=c99", "-O2", "-S", "-o", "-", "model.c"]
    text = subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
    return len(pattern.findall(text.decode()))


def _emlearn(folder, n):
    import emlearn
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    net = MLPClassifier((n,), max_iter=1, random_state=0)
    with warnings.catch_warnings(), chdir(folder):  # it compiles in ./tmp
        warnings.simplefilter("ignore")
        net.fit(rng.standard_normal((20, n)), np.arange(20) % 2)
        emlearn.convert(net).save(file=str(folder / "other.h"), name="other")
    call = f"y[0] = (float)other_predict(x, {n})"
    return '#include "other.h"', "float", call, ["-I", emlearn.includedir]


if __name__ == "__main__":
    with suppress(AttributeError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    script.run(
        "export",
        __doc__,
        cases=lambda quick: ({"n": n} for n in ((64,) if quick else (256, 1024, 4096))),
        measure=measure,
        packages=("emlearn", "scikit-learn"),
        seconds=10,
    )
