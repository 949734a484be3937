"""First use, caches, processes and threads of the caller, each in a fresh process."""

import pickle
import subprocess
import sys

import laws
import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn

pytestmark = pytest.mark.skipif(laws.INTERPRETED, reason="nothing is compiled")

APPLY = """
import numpy as np, fastbutterfly as fb
x = np.ones((9, 64), np.float32)
assert np.allclose(fb.identity(64, dtype=np.float32).apply(x), x)
"""
EVERYWHERE = """
import os, concurrent.futures, multiprocessing
import numpy as np, fastbutterfly as fb, fastbutterfly._base.threads
assert fastbutterfly._base.threads.MIN_PARALLEL_WORK > 0
fastbutterfly._base.threads.MIN_PARALLEL_WORK = 0
B = fb.Butterfly.random(64, dtype=np.float32, rng=0)
x = np.random.default_rng(1).standard_normal((300, 64)).astype(np.float32)

def work(workers):
    results = B.apply(x, workers=workers), *B.vjp(x, x, workers=workers)
    return [a.tobytes() for a in results]

if __name__ == "__main__":
    expected = work(1)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(work, [1, 2, 3, 4] * 8))
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            assert list(pool.map(work, [1, 2, 3])) == [expected] * 3
    child = os.fork()
    if not child:
        os._exit(0 if work(2) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert work(3) == expected
"""


def start(script, **environment):
    """A fresh Python that runs a script, with these changes to its environment."""
    import os

    return subprocess.Popen(
        [sys.executable, "-c", script] if "\n" in script else [sys.executable, script],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_eight_cold_processes_at_once(tmp_path):
    runs = [start(APPLY, NUMBA_CACHE_DIR=str(tmp_path / "cache")) for _ in range(8)]
    for run in runs:
        output, _ = run.communicate(timeout=300)
        assert (run.returncode, output) == (0, "")


def test_no_folder_for_the_cache(tmp_path):
    file = tmp_path / "file"
    file.touch()
    run = start(APPLY, NUMBA_CACHE_DIR=str(file / "cache"), PYTHONWARNINGS="error")
    output, _ = run.communicate(timeout=300)
    assert (run.returncode, output) == (0, "")


def test_threads_and_processes_of_the_caller(tmp_path):
    script = tmp_path / "everywhere.py"
    script.write_text(EVERYWHERE)
    run = start(str(script))
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output


def test_warmup_compiles_all_that_is_used():
    from fastbutterfly._kernels import (
        block_chain,
        butterfly_forward,
        butterfly_gradient,
        butterfly_small,
    )

    fb.warmup("float32", small=True, mixed=True)
    kernels = [
        kernel
        for module in (
            butterfly_small,
            butterfly_forward,
            butterfly_gradient,
            block_chain,
        )
        for kernel in vars(module).values()
        if hasattr(kernel, "nopython_signatures")
    ]
    assert len(kernels) == 14
    before = [len(kernel.nopython_signatures) for kernel in kernels]
    assert min(before) >= 1
    for n in (2, 64, 128, 12, 1000):
        A = fb.Butterfly.random(n, dtype=np.float32)
        for B in (A, A.T):
            x = np.zeros((n, n), np.float32)
            B.apply(x), B @ x, B @ x[0], B.vjp(x, x), B.apply(x, workers=2)
    assert [len(kernel.nopython_signatures) for kernel in kernels] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"dtypes": ["int8"]},
            "dtype must be float32, float64, complex64 or complex128",
        ),
        ({"uses": ["inverse"]}, "uses must be one of 'apply', 'columns', 'vjp'"),
    ],
)
def test_warmup_of_nothing_known(options, message):
    with pytest.raises(ValueError, match=message):
        fb.warmup(**options)


def test_used_layers_unpickle_in_another_process(tmp_path):
    kinds = [
        nn.ButterflyLinear(64, 64, rng=0),
        nn.ButterflyLinear(1024, 4, rng=0),
        nn.ButterflyDense(40, 30, rng=0),
        nn.OrthogonalLinear(32, rng=0),
    ]
    x = [np.ones((70, layer.n_in), np.float32) for layer in kinds]
    y = [layer(rows) for layer, rows in zip(kinds, x, strict=True)]
    path = tmp_path / "layers.pickle"
    path.write_bytes(pickle.dumps((kinds, x, y)))
    run = start(f"""
import pickle, numpy as np
with open({str(path)!r}, "rb") as file:
    for layer, x, y in zip(*pickle.load(file)):
        assert np.array_equal(layer(x), y)
""")
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output
