"""How fast are sketches: learning one, and multiplying with one?

Learning: a step of Adam on a batch of matrices, rank 10, 20 rows, double precision, one
thread; with torch once through its singular value decomposition and once as programs
for learned sketches do it, by deflated power iteration, 300 rounds for each of the
singular vectors, unrolled and differentiated automatically. Both with a dense sketch,
which favours them. Products: S @ X for a float32 matrix, l = 192, against np.matmul
with a Gaussian one; and of a tall float64 matrix, against random signs and SciPy's
cosine transform, of which 2000 rows are kept, with the peak memory beyond the matrix in
units of its size.
"""

import os
import tracemalloc
from contextlib import suppress

import numpy as np
import scipy.fft
import script

from fastbutterfly import sketch
from fastbutterfly.bench.timing import best_in_turn

K, L, ROUNDS, MANY = 10, 20, 300, 192
SHAPES = {(32, 32): 8, (1024, 768): 4}  # and matrices a step


def measure(what, n, d, seconds):
    """One row: microseconds."""
    kinds = {"learning": learning, "products": products, "tall": tall}
    return kinds[what](n, d, seconds)


def learning(n, d, seconds):
    """A step, ours for each kind and torch's."""
    rng, batch = np.random.default_rng(0), SHAPES[n, d]
    base = rng.standard_normal((n, 30)) / np.arange(1, 31)
    Xs = [base @ rng.standard_normal((30, d)) for _ in range(batch)]
    Xs = [X + 0.01 * rng.standard_normal(X.shape) for X in Xs]
    steps = 10
    calls = {
        kind: lambda kind=kind: sketch.learn(
            Xs, L, K, kind=kind, steps=steps, batch_size=batch, rng=0
        )
        for kind in ("butterfly", "sparse", "dense")
    }
    best = {kind: t / steps for kind, t in best_in_turn(calls, seconds).items()}
    try:
        best |= best_in_turn(_torch(Xs), seconds)
    except ImportError as error:
        print(f"skipped torch: {error}")
    row = {"what": "learning", "n": n, "d": d, "batch": batch}
    row |= {f"{name}_us": 1e6 * t for name, t in best.items()}
    for name in ("torch_svd", "torch_unrolled"):
        if name in best:
            row[f"{name}_ratio"] = best[name] / best["butterfly"]
    return row


def _torch(Xs):
    import torch

    torch.set_num_threads(1)
    stack = torch.from_numpy(np.stack(Xs))
    count, n = stack.shape[:2]
    S = torch.nn.Parameter(torch.randn(L, n, dtype=torch.float64) / L**0.5)
    optimizer = torch.optim.Adam([S], lr=1e-2)

    def exact(A, k):
        return torch.linalg.svd(A, full_matrices=False)[2][:, :k]

    def unrolled(A, k):
        vectors = []
        for _ in range(k):
            v = torch.full((count, A.shape[2], 1), A.shape[2] ** -0.5, dtype=A.dtype)
            for _ in range(ROUNDS):
                v = A.transpose(1, 2) @ (A @ v)
                v = v / v.norm(dim=1, keepdim=True)
            vectors.append(v)
            A = A - A @ v @ v.transpose(1, 2)
        return torch.cat(vectors, dim=2).transpose(1, 2)

    def step(vectors):
        optimizer.zero_grad()
        V = vectors(S @ stack, L).transpose(1, 2)
        XV = stack @ V
        W = vectors(XV, K).transpose(1, 2)
        error = stack - XV @ W @ W.transpose(1, 2) @ V.transpose(1, 2)
        error.square().sum(dim=(1, 2)).sqrt().mean().backward()
        optimizer.step()

    return {
        "torch_svd": lambda: step(exact),
        "torch_unrolled": lambda: step(unrolled),
    }


def products(n, d, seconds):
    """S @ X of each kind."""
    X = np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)
    options = {"dtype": np.float32, "rng": 0}
    kinds = {
        "fjlt": sketch.fjlt(MANY, n, **options),
        "sparse_rtt": sketch.sparse_rtt(MANY, n, **options),
        "gaussian": sketch.gaussian(MANY, n, **options),
        "sparse": sketch.sparse(MANY, n, **options),
        "count": sketch.count_sketch(MANY, n, **options),
    }
    G = kinds["gaussian"].to_dense()
    calls = {name: lambda S=S: S @ X for name, S in kinds.items()}
    calls["matmul"] = lambda: G @ X
    best = best_in_turn(calls, seconds)
    row = {"what": "products", "n": n, "d": d, "l": MANY}
    row |= {f"{name}_us": 1e6 * t for name, t in best.items()}
    return row | {"fjlt_ratio": best["matmul"] / best["fjlt"]}


def tall(n, d, seconds):
    """FJLT and SparseRTT to 2000 rows, and by SciPy's cosine transform; peak memory."""
    rows = min(2000, n)
    rng = np.random.default_rng(0)
    X, S = rng.standard_normal((n, d)), sketch.fjlt(rows, n, rng=0)
    T = sketch.sparse_rtt(rows, n, rng=0)
    signs, kept = rng.choice([-1.0, 1.0], (n, 1)), rng.permutation(n)[:rows]
    calls = {
        "fjlt": lambda: S @ X,
        "sparse_rtt": lambda: T @ X,
        "dct": lambda: scipy.fft.dct(X * signs, axis=0, norm="ortho")[kept],
    }
    best = best_in_turn(calls, seconds)
    row = {"what": "tall", "n": n, "d": d, "l": rows}
    row |= {f"{name}_us": 1e6 * t for name, t in best.items()}
    for name, call in calls.items():
        tracemalloc.start()
        call()
        row[f"{name}_memory"] = tracemalloc.get_traced_memory()[1] / X.nbytes
        tracemalloc.stop()
    ratio = best["dct"] / best["sparse_rtt"]
    return row | {"dct_ratio": best["dct"] / best["fjlt"], "sparse_rtt_ratio": ratio}


def cases(quick):
    """Learning for each shape, and products."""
    shapes = list(SHAPES)[: 1 if quick else None]
    yield from ({"what": "learning", "n": n, "d": d} for n, d in shapes)
    for n in (256,) if quick else (1024, 4096):
        yield {"what": "products", "n": n, "d": 4096}
    yield {"what": "tall", "n": 3000 if quick else 100000, "d": 500}


if __name__ == "__main__":
    with suppress(AttributeError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    script.run("sketch", __doc__, cases, measure, packages=("torch",), seconds=6)
