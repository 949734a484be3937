"""How do other libraries do on the same matrix, in the same run?

Each gets the butterfly's matrix or factors and the layout that suits it; its result is
compared with the butterfly's before it is timed. Missing libraries are named.
"""

import script

from fastbutterfly.bench import peers

if __name__ == "__main__":
    available, missing = peers.installed()
    for package in missing:
        print(f"skipped {package}")
    script.run(
        "peers",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in (script.FEW if quick else script.DTYPES)
            for n in ((16, 64, 256, 1024) if quick else [2**k for k in range(4, 13)])
        ),
        measure=lambda **case: peers.measure(competitors=available, **case),
        packages=peers.versions(available),
        seconds=6,
    )
