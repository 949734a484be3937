"""ButterflyLinear: a linear layer whose matrix is a butterfly."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike

from ..._base.arguments import as_choice, as_generator, as_real_dtype, as_size
from ..._base.memory import immutable
from ..._plans import patterns
from ..._plans.binary import BinaryPlan
from ..._plans.blocks import BlockPlan
from ..._plans.weight_cache import CheckedWeightCache
from ...operators.butterfly import REVERSED, Butterfly
from ...transforms.random import truncated
from ..arguments import as_flag, as_optional_vector, take
from .layer import Layer


class ButterflyLinear(Layer):
    """Linear layer y = B x + bias with a butterfly B; 2 n log2(n) weights at most.

    Parameters
    ----------
    n_in, n_out : int
        Any sizes; n is the next power of two from the larger one. n_out <= n_in:
        truncated, n_out random outputs are kept. n_out > n_in: the transpose of a
        truncated butterfly.
    bias : bool
        Whether there is a bias; it starts at zero.
    rng : Generator, int or None
        Source of randomness.
    dtype : dtype
        float32 or float64.
    init : {"orthogonal", "gaussian", "fjlt", "identity"}
        Distribution of the blocks, see `fastbutterfly.Butterfly.random`.
    trainable : bool
        False: the butterfly stays as it starts; only the bias is trained.

    Attributes
    ----------
    weights : array, shape (depth, n/2, 2, 2)
        Read-only if the layer is not trainable.
    bias : array, shape (n_out,), or None

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Notes
    -----
    The start is scaled by sqrt(n/n_in), so that a random butterfly keeps the mean
    square of the coordinates: E |y|^2 / n_out = |x|^2 / n_in without the bias. (The
    scale of `fastbutterfly.truncated` keeps the norm instead: E |y| = |x|.)
    `n_weights` counts the bias and the weights on a path from an input to an output;
    `parameters` stores all 2 n log2(n).

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> layer = nn.ButterflyLinear(1000, 200, rng=0)
    >>> layer([[1.0] * 1000]).shape
    (1, 200)
    >>> layer.operator.shape
    (200, 1000)
    """

    bias = None

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        bias: bool = True,
        rng: Generator | int | None = None,
        dtype: DTypeLike = np.float32,
        init: str = "orthogonal",
        trainable: bool = True,
    ):
        n_in, n_out = as_size("n_in", n_in), as_size("n_out", n_out)
        dtype, rng = as_real_dtype(dtype), as_generator(rng)
        operator = draw(n_in, n_out, init, rng)
        bias = np.zeros(n_out) if as_flag("bias", bias) else None
        self._set(operator, bias, dtype, as_flag("trainable", trainable))

    @classmethod
    def from_operator(
        cls,
        operator: Butterfly,
        *,
        bias: ArrayLike | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
    ) -> "ButterflyLinear":
        """Start from a given butterfly.

        Parameters
        ----------
        operator : Butterfly
            Of shape (n_out, n_in), of any pattern; its weights are copied. A product of
            butterflies is a `Sequential` of one such layer each, without bias.
        bias : array, shape (n_out,), optional
            None: no bias.
        dtype : dtype, optional
            float32 or float64; None: the operator's.
        trainable : bool
            As for `ButterflyLinear`.

        Returns
        -------
        ButterflyLinear

        Raises
        ------
        ValueError, TypeError
            If an argument is not as described.

        Examples
        --------
        >>> import fastbutterfly as fb
        >>> from fastbutterfly import nn
        >>> nn.ButterflyLinear.from_operator(fb.hadamard(8)).n_weights
        48
        """
        if not isinstance(operator, Butterfly):
            raise TypeError(
                f"operator must be a Butterfly, got {type(operator).__name__}"
            )
        dtype = as_real_dtype(operator.dtype if dtype is None else dtype)
        bias = as_optional_vector("bias", bias, operator.shape[0])
        layer = cls.__new__(cls)
        layer._set(operator, bias, dtype, as_flag("trainable", trainable))
        return layer

    def _set(self, operator, bias, dtype, trainable):
        self.n_out, self.n_in = operator.shape
        self.dtype, self.trainable = dtype, trainable
        self._plan, self._cache = operator.plan, CheckedWeightCache()
        arrays = {"weights": operator.weights} if trainable else {}
        if bias is not None:
            arrays["bias"] = bias
        self._own(**arrays)
        if not trainable:
            self.weights = immutable(operator.weights.astype(dtype))
        self.n_weights = self._plan.n_weights * trainable
        self.n_weights += 0 if bias is None else self.n_out

    def _fans(self):
        return sum(c for _, _, c, _ in self._plan.pattern) or 1

    @property
    def operator(self) -> Butterfly:
        """The butterfly as it is now, a frozen copy of shape (n_out, n_in)."""
        return Butterfly._of(self.weights, self._plan)

    def forward(self, x):
        """Return B x + bias; x is saved."""
        return self._apply(x, self._cache), x

    def forward_training(self, x, rng):
        """Do as `forward`, for weights that each step changes: none are kept packed."""
        if not self.trainable:
            return self.forward(x)
        return self._apply(x, _packed_anew), (x, _packed_anew)

    def _apply(self, x, pack):
        """B x + bias, with the weights that pack(engine, weights) gives."""
        engine = self._plan.rows(len(x), self.dtype)
        packed = pack(engine, self.weights.reshape(-1))
        if len(x) == 1:
            y = engine.apply_vector(packed, x[0])[np.newaxis]
        else:
            y = engine.apply(packed, x)
        if self.bias is not None:
            y += self.bias
        return y

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Write the gradient of the blocks and the sum of g; return B^T g."""
        x, pack = saved if type(saved) is tuple else (saved, self._cache)
        gradient = self._views(gparameters)
        if self.bias is not None:
            np.add.reduce(g, axis=0, out=gradient["bias"])
        if not self.trainable and not input_gradient:
            return None
        engine = self._plan.gradient(len(g), self.dtype)
        packed = pack(engine, self.weights.reshape(-1))
        gx, gweights = engine.vjp(packed, x, g)
        if self.trainable:
            gradient["weights"].reshape(-1)[...] = gweights
        return gx

    def _describe(self):
        return {
            "type": "ButterflyLinear",
            **self._structure(),
            "n_in": self.n_in,
            "n_out": self.n_out,
            "bias": self.bias is not None,
            "trainable": self.trainable,
        }

    def _structure(self):
        """The pattern of the butterfly, or size and stride of a binary one."""
        plan = self._plan
        if isinstance(plan, BinaryPlan):
            return {"n": plan.n, "stride": plan.stride}
        return {"pattern": plan.pattern}

    def _fixed_arrays(self):
        constants = np.empty(0) if self.trainable else self.weights.reshape(-1)
        sizes, used = self._plan.sizes[::-1], (self._plan.inputs, self._plan.outputs)
        indices = [
            np.arange(size) if index is None else index
            for size, index in zip(sizes, used, strict=True)
        ]
        return constants.astype(self.dtype), np.concatenate(indices).astype(np.int64)

    @classmethod
    def _restore(cls, description, reader):
        name = "ButterflyLinear"
        n_in, n_out = (take(name, description, key, int) for key in ("n_in", "n_out"))
        bias, trainable = (
            take(name, description, key, bool) for key in ("bias", "trainable")
        )
        pattern = _pattern_of(name, description)
        read = reader.parameters if trainable else reader.constants
        weights = read(sum(map(patterns.n_stored, pattern)))
        bias = reader.parameters(n_out) if bias else None
        ends = {"inputs": reader.indices(n_in), "outputs": reader.indices(n_out)}
        blocks = patterns.views(weights, pattern)
        if pattern:
            operator = Butterfly.from_blocks(blocks, pattern, **ends)
        else:
            operator = Butterfly(weights.reshape(0, 0, 2, 2), **ends)
        return cls.from_operator(operator, bias=bias, trainable=trainable)

    def __getstate__(self):
        # A pickle has what the plan is made of: its class may move.
        state, plan = super().__getstate__(), self._plan
        del state["_plan"], state["_cache"]
        indices = plan.inputs, plan.outputs
        return state | {"structure": self._structure(), "indices": indices}

    def __setstate__(self, state):
        state = dict(state)
        structure, (inputs, outputs) = state.pop("structure"), state.pop("indices")
        make = BlockPlan if "pattern" in structure else BinaryPlan
        self._plan = make(**structure, inputs=inputs, outputs=outputs)
        self._cache = CheckedWeightCache()
        super().__setstate__(state)
        if not self.trainable:
            self.weights = immutable(self.weights)

    def __repr__(self):
        tail = "" if self.bias is not None else ", bias=False"
        tail += "" if self.trainable else ", trainable=False"
        return f"ButterflyLinear({self.n_in}, {self.n_out}{tail})"


def _packed_anew(engine, weights):
    """Weights packed for one product: as the cache has it, without a comparison."""
    return engine.pack(weights)


def draw(n_in, n_out, init, rng):
    """Random operator (n_out, n_in) that keeps the mean square of the coordinates."""
    if n_out > n_in:
        return truncated(n_in, n_out, init=init, rng=rng).T
    operator = truncated(n_out, n_in, init=init, rng=rng)
    weights = operator.weights.copy()
    weights[-1:] *= np.sqrt(n_out / n_in)
    return Butterfly(weights, inputs=operator.inputs, outputs=operator.outputs)


def _pattern_of(name, description):
    """The layers of a description: a pattern, or the size and order of strides."""
    if "pattern" in description:
        return patterns.as_patterns(take(name, description, "pattern", list))
    n, stride = (take(name, description, *key) for key in (("n", int), ("stride", str)))
    depth = n.bit_length() - 1
    if n != 1 << depth:
        raise ValueError(f"{name} needs a power of two as 'n', got {n}")
    as_choice("stride", stride, REVERSED)
    return patterns.mixed((2,) * depth, stride == "increasing")
