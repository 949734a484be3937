"""How fast is B @ x for a single vector, against a dense product and an FFT?"""

import script

from fastbutterfly.bench import vector

if __name__ == "__main__":
    script.run(
        "vector",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in script.DTYPES
            for n in ((64, 1024) if quick else [2**k for k in range(1, 17)])
        ),
        measure=vector.measure,
        seconds=1,
    )
