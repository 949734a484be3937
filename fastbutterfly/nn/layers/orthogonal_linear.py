"""OrthogonalLinear: a linear layer that stays orthogonal while it trains."""

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from ..._base.arguments import as_generator, as_power_of_two, as_real_dtype
from ...operators.butterfly import Butterfly
from ..arguments import as_flag, take
from .layer import Layer


class OrthogonalLinear(Layer):
    """Linear layer y = B x + bias, B a butterfly of rotations by n/2 log2(n) angles.

    Parameters
    ----------
    n : int
        Size, a power of two.
    bias : bool
        Whether there is a bias; it starts at zero.
    rng : Generator, int or None
        Source of randomness; the angles start uniformly distributed.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    angles : array, shape (log2(n), n/2)
        In radians, see `fastbutterfly.Butterfly.from_angles`.
    bias : array, shape (n,), or None

    Raises
    ------
    ValueError, TypeError
        If n is no power of two, or an option is not as described.

    Notes
    -----
    A block [[cos t, -sin t], [sin t, cos t]] with the gradient G has that of its angle:
    cos t (G_10 - G_01) - sin t (G_00 + G_11). The layer preserves norms and angles to
    rounding at every step of training, and the determinant is 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> layer = nn.OrthogonalLinear(8, rng=0, dtype=np.float64)
    >>> bool(np.isclose(np.linalg.norm(layer(np.ones((1, 8)))), np.sqrt(8)))
    True
    """

    bias = None

    def __init__(
        self,
        n: int,
        *,
        bias: bool = True,
        rng: Generator | int | None = None,
        dtype: DTypeLike = np.float32,
    ):
        n = as_power_of_two("n", n, "append zeros to the samples")
        rng = as_generator(rng)
        depth = n.bit_length() - 1
        angles = rng.uniform(-np.pi, np.pi, (depth, n // 2))
        bias = np.zeros(n) if as_flag("bias", bias) else None
        self._set(angles, bias, as_real_dtype(dtype))

    def _set(self, angles, bias, dtype):
        self.n_in = self.n_out = max(2 * angles.shape[1], 1)
        self.dtype = dtype
        self._own(angles=angles, **({} if bias is None else {"bias": bias}))
        self.n_weights = self.parameters.size

    @property
    def operator(self) -> Butterfly:
        """The butterfly as it is now."""
        depth = len(self.angles)
        return Butterfly.from_angles(
            self.angles.reshape(depth, self.n_in // 2 if depth else 0)
        )

    def forward(self, x):
        """Return B x + bias; x and B are saved."""
        B = self.operator
        y = B.apply(x)
        if self.bias is not None:
            y += self.bias
        return y, (x, B)

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Write the gradient of the angles and the sum of g; return B^T g."""
        x, B = saved
        gradient = self._views(gparameters)
        if self.bias is not None:
            np.add.reduce(g, axis=0, out=gradient["bias"])
        gx, gblocks = B.vjp(x, g)
        cos, sin = B.weights[..., 0, 0], B.weights[..., 1, 0]
        skew = gblocks[..., 1, 0] - gblocks[..., 0, 1]
        trace = gblocks[..., 0, 0] + gblocks[..., 1, 1]
        gradient["angles"][...] = cos * skew - sin * trace
        return gx

    def _describe(self):
        bias = self.bias is not None
        return {"type": "OrthogonalLinear", "n": self.n_in, "bias": bias}

    @classmethod
    def _restore(cls, description, reader):
        n = take("OrthogonalLinear", description, "n", int)
        bias = take("OrthogonalLinear", description, "bias", bool)
        depth = as_power_of_two("n", n).bit_length() - 1
        angles = reader.parameters(depth, n // 2)
        layer = cls.__new__(cls)
        layer._set(angles, reader.parameters(n) if bias else None, reader.dtype)
        return layer

    def __repr__(self):
        tail = "" if self.bias is not None else ", bias=False"
        return f"OrthogonalLinear({self.n_in}{tail})"
