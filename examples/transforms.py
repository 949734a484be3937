"""Any size, and exact transforms, each beside the function of SciPy that it equals."""

import numpy as np
import scipy.fft
import scipy.linalg

import fastbutterfly as fb

x = np.random.default_rng(0).standard_normal(1000)


def show(name, ours, reference):
    """Print the relative error in norm."""
    error = np.linalg.norm(ours - reference) / np.linalg.norm(reference)
    print(f"{name:<32} relative error {error:.1e}")


B = fb.Butterfly.random(1000, rng=0)  # blocks of 5 x 5 and 2 x 2, no padding
show("random orthogonal, n = 1000", B.T @ (B @ x), x)
show("Fourier, n = 1000", fb.dft(1000) @ x, scipy.fft.fft(x))
show("cosine, n = 512", fb.dct(512) @ x[:512], scipy.fft.dct(x[:512]))
show("Walsh-Hadamard, n = 512", fb.fwht(x[:512]), scipy.linalg.hadamard(512) @ x[:512])
T = fb.toeplitz(1 / np.arange(1.0, 1001))
show("Toeplitz, n = 1000", T @ x, scipy.linalg.toeplitz(1 / np.arange(1.0, 1001)) @ x)

J = fb.fjlt(100, 1000, rng=0)  # a random projection that nearly keeps norms
print("norm after / before J:", f"{np.linalg.norm(J @ x) / np.linalg.norm(x):.3f}")

result = fb.factorize(scipy.linalg.hadamard(64))  # from a matrix to a butterfly
print(f"factorized: relative error {result.error:.1e}, {result.operator.shape}")
