"""Exported networks as a program: samples in, scores and classes out."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import fastbutterfly as fb
from fastbutterfly import export, nn

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
STRICT += ["-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Wundef"]
SANITIZED = [
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all",
]
KINDS = {"float": np.float32, "double": np.float64, "int16_t": np.int16}

# For each network in turn: all samples are read, scores and classes written. Samples,
# scores and scratch are of the exact size, so that a sanitizer sees what goes beyond.
PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
{includes}
#define CHECK(right)                                                          \\
    if (!(right)) {{                                                           \\
        fprintf(stderr, "%s: %s\\n", name, #right);                           \\
        exit(1);                                                              \\
    }}
#define NETWORK(NET, SIZE, kind, number)                                      \\
    static void run_##NET(int count)                                          \\
    {{                                                                         \\
        const char *const name = #NET;                                        \\
        const size_t in = SIZE##_INPUTS, out = SIZE##_OUTPUTS;                \\
        kind *x = malloc(sizeof(kind) * in);                                  \\
        kind *y = malloc(sizeof(kind) * out);                                 \\
        kind *z = malloc(sizeof(kind) * out);                                 \\
        number *scratch = malloc(sizeof(number) * SIZE##_SCRATCH);            \\
        CHECK(NET##_selftest() == 0)                                          \\
        for (int i = 0; i < count; i++) {{                                     \\
            CHECK(fread(x, sizeof(kind), in, stdin) == in)                    \\
            NET##_scores_r(x, y, scratch);                                    \\
            NET##_scores(x, z);                                               \\
            CHECK(memcmp(y, z, sizeof(kind) * out) == 0)                      \\
            const int32_t best = NET##_class_r(x, scratch);                   \\
            CHECK(best == NET##_class(x))                                     \\
            CHECK(fwrite(y, sizeof(kind), out, stdout) == out)                \\
            CHECK(fwrite(&best, sizeof best, 1, stdout) == 1)                 \\
        }}                                                                     \\
        free(x);                                                              \\
        free(y);                                                              \\
        free(z);                                                              \\
        free(scratch);                                                        \\
    }}
{networks}
int main(int argc, char **argv)
{{
    if (argc < {arguments})
        return 2;
{calls}
    return 0;
}}
"""


class Program:
    """Exports linked into one program, by name."""

    def __init__(self, folder):
        self.folder, self.nets = Path(folder), {}

    def add(self, name, net, **options):
        """Export a network, and link it in."""
        made = export.to_c(net, self.folder, name=name, **options)
        text = made.header.read_text()
        kinds = next(line for line in text.splitlines() if line.startswith(" * types"))
        _, _, _, _, _, number, *_, kind = kinds.replace(",", "").split()
        self.nets[name] = net, kind, number
        return made

    def build(self, compiler, *flags):
        """Compile all, with all warnings as errors; the program's path."""
        include, network, call = [], [], []
        for i, (name, (_, kind, number)) in enumerate(self.nets.items()):
            include.append(f'#include "{name}.h"\n')
            network.append(f"NETWORK({name}, {name.upper()}, {kind}, {number})\n")
            call.append(f"    run_{name}(atoi(argv[{i + 1}]));")
        text = PROGRAM.format(
            includes="".join(include),
            networks="".join(network),
            calls="\n".join(call),
            arguments=len(self.nets) + 1,
        )
        (self.folder / "main.c").write_text(text)
        path = self.folder / "-".join(["program", compiler, *flags]).replace("=", "-")
        sources = ["main.c", *(f"{name}.c" for name in self.nets)]
        names = [f"-D{name.upper()}_SELFTEST" for name in self.nets]
        run(
            [compiler, *STRICT, *flags, *names, *sources, "-o", str(path), "-lm"],
            self.folder,
        )
        return path

    def __call__(self, path, samples):
        """Scores and classes by name, for samples by name."""
        given = [
            np.ascontiguousarray(samples[name], KINDS[kind])
            for name, (_, kind, _) in self.nets.items()
        ]
        counts = [str(len(x)) for x in given]
        out = run([path, *counts], input=b"".join(x.tobytes() for x in given))
        outputs, start = {}, 0
        for x, (name, (net, kind, _)) in zip(given, self.nets.items(), strict=True):
            scores = np.dtype((KINDS[kind], (net.n_out,)))
            row = np.dtype([("scores", scores), ("class", np.int32)])
            rows = np.frombuffer(out, row, len(x), start)
            outputs[name] = rows["scores"].reshape(len(x), net.n_out), rows["class"]
            start += rows.nbytes
        assert start == len(out)
        return outputs


def run(command, folder=None, **options):
    """What a command prints; its error output is shown if it fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return done.stdout


def skip_without(compiler, *flags):
    """Skip a test that needs clang where it, or its sanitizers, are missing."""
    if compiler == "gcc":
        return
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    words = [compiler, *flags, "-x", "c", "-", "-o", "/dev/null"]
    done = subprocess.run(
        words, input=b"int main(void) { return 0; }", capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"{compiler} lacks the libraries for {' '.join(flags)}")


def floating(dtype):
    """Networks with every kind of layer, by name."""
    options = {"rng": 0, "dtype": dtype}

    def of(operator, bias=True):
        bias = np.linspace(-1, 1, operator.shape[0]) if bias else None
        return nn.ButterflyLinear.from_operator(operator, bias=bias)

    def butterfly(n, **more):
        return fb.Butterfly.random(n, **options, **more)

    mixed = butterfly(60)
    ends = {"inputs": [3, 1, 0, 59, 30], "outputs": [58, 2]}
    nets = {
        "dense": nn.Dense(53, 7, **options),
        "square": nn.ButterflyLinear(64, 64, **options),
        "decreasing": of(butterfly(128, stride="decreasing"), bias=False),
        "truncated": nn.ButterflyLinear(100, 10, **options),
        "wider": nn.ButterflyLinear(3, 33, bias=False, **options),
        "mixed": of(mixed),
        "mixed_ends": of(fb.Butterfly.from_blocks(mixed.blocks, mixed.pattern, **ends)),
        "radix_four": of(butterfly(64, radices=(4, 4, 4))),
        "gadget": nn.ButterflyDense(100, 70, **options),
        "orthogonal": nn.OrthogonalLinear(64, **options),
        "encoder": nn.EncoderDecoder(64, 20, k=4, l=9, **options),
        "nothing": nn.ButterflyLinear(1, 1, bias=False, **options),
        "norm": nn.LayerNorm(9, dtype=dtype),
        "curves": nn.Sequential(
            *(nn.Dense(64, 40, **options), nn.ReLU(), nn.Dense(40, 64, **options)),
            *(nn.Tanh(), nn.ButterflyLinear(64, 64, **options), nn.GELU()),
            *(nn.ButterflyLinear(64, 9, **options), nn.Sigmoid()),
        ),
        "residual": nn.Sequential(
            nn.Residual(nn.LayerNorm(64, dtype=dtype), nn.Dense(64, 64, **options)),
            nn.Dropout(0.5),
            nn.Residual(nn.Residual(nn.ButterflyLinear(64, 64, **options)), nn.GELU()),
            nn.Sequential(nn.Sequential(nn.Dense(64, 1, **options))),
        ),
        "pointwise": nn.Sequential(
            nn.PointWise(nn.ButterflyLinear(16, 12, **options), 4),
            nn.PointWise(nn.Residual(nn.Dense(12, 12, **options), nn.Tanh()), 4),
            nn.PointWise(nn.PointWise(nn.Dense(6, 5, **options), 2), 4),
        ),
        "identities": nn.Sequential(
            nn.Residual(nn.ButterflyLinear(1, 1, bias=False, **options)),
            nn.PointWise(nn.ButterflyLinear(1, 1, bias=False, **options), 1),
        ),
    }
    return {name: spread_out(net) for name, net in nets.items()}


def integer(dtype=np.float32):
    """Those of them that integers have rules for, and ReLUs."""
    nets, options = floating(dtype), {"rng": 0, "dtype": dtype}
    kept = "dense", "square", "decreasing", "truncated", "mixed_ends", "radix_four"
    kept += "gadget", "orthogonal", "encoder", "nothing"
    nets = {name: nets[name] for name in kept}
    nets["deep"] = nn.Sequential(
        *(nn.ButterflyLinear(64, 128, **options), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.ButterflyDense(128, 64, **options), nn.ReLU(), nn.Dense(64, 1, **options)),
    )
    nets["deep"] = spread_out(nets["deep"])
    nets["many_terms"] = spread_out(nn.Dense(1024, 3, **options))
    nets["many_terms"].weights[:, 0] = 0.1  # the largest sums that there can be
    return nets


def spread_out(net):
    """Parameters that are not where they start, biases above all."""
    rng = np.random.default_rng(1)
    net.parameters[...] += 0.1 * rng.standard_normal(net.parameters.size)
    return net


def samples(n, rng, count=1000):
    """Random rows and real ones, digits repeated or cut to n pixels."""
    real = (load_digits().data[:count] - 5) / 6
    real = np.tile(real, -(-n // 64))[:, :n]
    return np.concatenate([rng.standard_normal((count, n)), real])
