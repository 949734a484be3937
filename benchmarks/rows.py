"""How fast are apply and vjp on rows, by size and dtype, against dense products?

The multiply-add limit is the rate that np.matmul sustains at (256, 1024) x (1024, 1024)
in the same dtype and run, for complex dtypes in complex multiply-adds. apply needs
2 n log2(n) of them a sample, vjp with its forward pass three times as many. Dense: one
product for apply, for vjp the two that give the same gradients.
"""

import script

from fastbutterfly.bench import rows

if __name__ == "__main__":
    script.run(
        "rows",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in script.DTYPES
            for n in ((16, 64, 256, 1024) if quick else [2**k for k in range(4, 13)])
        ),
        measure=rows.measure,
        finish=rows.compared,
        seconds=4,
    )
