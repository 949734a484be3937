"""How fast does an encoder-decoder network train, against the same one in torch?

An epoch of Gaussian 1 (Ailon, Leibovich and Nair, 2021): 1024 samples of 1024 numbers
in two batches, the model D E B, mean square error, Adam, float32, one thread. In torch
B is a product of its layers, each a batch of 2 x 2 products with samples as columns
(the fastest of five ways that were tried), differentiated automatically; `torch dense`
has a dense encoder. An iteration of `variable_projection`, which takes few of them, is
timed beside it, in double precision.
"""

import os
from contextlib import suppress

import numpy as np
import script

from fastbutterfly import nn
from fastbutterfly.bench.timing import best_in_turn

N, BATCH, RANK = 1024, 512, 32
SIZES = {1: 2, 4: 12, 8: 32, 16: 80, 32: 192}


def measure(k, l, seconds):
    """One row: milliseconds of an epoch."""
    rng = np.random.default_rng(0)
    base = np.linalg.qr(rng.standard_normal((N, RANK)))[0]
    X = (base @ (0.1 * rng.standard_normal((RANK, N)))).T
    x = np.ascontiguousarray(X, np.float32)
    net = nn.EncoderDecoder(N, N, k=k, l=l, rng=0)
    options = {"optimizer": nn.Adam(1e-3), "loss": nn.MSE(), "epochs": 1, "rng": 0}
    calls = {
        "ours": lambda: nn.fit(net, x, x, batch_size=BATCH, progress=False, **options)
    }
    double = nn.EncoderDecoder(N, N, k=k, l=l, rng=0, dtype=np.float64)
    projected = {"optimizer": nn.Adam(1e-3), "max_iter": 10}
    calls["10 projections"] = lambda: nn.variable_projection(double, X, **projected)
    try:
        calls |= _torch(x, k, net.layers[0])
    except ImportError as error:
        print(f"skipped torch: {error}")
    best = best_in_turn(calls, seconds)
    row = {"k": k, "l": l, "epoch_ms": 1e3 * best["ours"]}
    row["projection_ms"] = 100 * best["10 projections"]
    for name in ("torch", "torch dense"):
        if name in best:
            key = name.replace(" ", "_")
            row |= {
                f"{key}_ms": 1e3 * best[name],
                f"{key}_ratio": best[name] / best["ours"],
            }
    return row


def _torch(x, k, butterfly):
    import torch

    torch.set_num_threads(1)
    x = torch.from_numpy(x)
    kept = torch.from_numpy(np.array(butterfly.operator.outputs))

    class Butterfly(torch.nn.Module):
        def __init__(self):
            super().__init__()
            weights = torch.from_numpy(butterfly.weights.copy())
            self.weights = torch.nn.Parameter(weights)

        def forward(self, x):
            count, x = len(x), x.t().contiguous()
            for level, layer in enumerate(self.weights):
                s = 1 << level
                pairs = x.view(-1, 2, s, count).transpose(1, 2)
                x = torch.bmm(layer, pairs.reshape(-1, 2, count))
                x = x.view(-1, s, 2, count).transpose(1, 2).reshape(N, count)
            return x[kept].t()

    def linear(n_in, n_out):
        return torch.nn.Linear(n_in, n_out, bias=False)

    nets = {
        "torch": torch.nn.Sequential(Butterfly(), linear(len(kept), k), linear(k, N)),
        "torch dense": torch.nn.Sequential(linear(N, k), linear(k, N)),
    }

    def make(net):
        optimizer = torch.optim.Adam(net.parameters())
        return lambda: epoch(net, optimizer)

    def epoch(net, optimizer):
        order = torch.randperm(len(x))
        for rows in order.split(BATCH):
            batch = x[rows]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(net(batch), batch).backward()
            optimizer.step()

    return {name: make(net) for name, net in nets.items()}


if __name__ == "__main__":
    with suppress(AttributeError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    script.run(
        "autoencoder",
        __doc__,
        cases=lambda quick: (
            {"k": k, "l": l} for k, l in list(SIZES.items())[: 1 if quick else None]
        ),
        measure=measure,
        packages=("torch",),
        seconds=10,
    )
