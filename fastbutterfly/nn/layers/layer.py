"""Layer: a differentiable map of batches with its parameters in one flat buffer."""

import math
import os
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.layout import is_plain
from ..arguments import as_batch, as_samples, rows_of
from ..container import write

CHUNK_ELEMENTS = 2**21  # of activations at a time in a prediction
MIN_CHUNK_ROWS = 64  # rows at a time, however wide the network is


class Layer:
    """Base of layers: (batch, n_in) -> (batch, n_out).

    Attributes
    ----------
    n_in, n_out : int or None
        Sizes; None: any, the same on both sides.
    n_weights : int
        Trainable elements on which the output depends.
    dtype : dtype or None
        float32 or float64, of parameters and activations; None: that of the batch.
    rate_scale : float
        How many times the learning rate of a dense layer suits it; see `ByLayer`.
    parameters : array, shape (size,)
        All trainable elements, one writable buffer. Writing into it changes the layer.

    Notes
    -----
    A subclass implements `forward` and `backward`, calls ``self._own(name=array, ...)``
    once, and gets each name as an attribute that is a view into `parameters`.
    """

    n_in: int | None = None
    n_out: int | None = None
    n_weights: int = 0
    dtype: np.dtype | None = None
    _shapes: dict[str, tuple[int, ...]] = {}  # noqa: RUF012, never modified
    _slices: list[slice] = []  # noqa: RUF012, of the parameters in the buffer
    _parameters = np.empty(0, np.float32)
    _in_network = False

    @property
    def parameters(self) -> NDArray:
        """All trainable elements, a flat writable view."""
        return self._parameters

    @property
    def rate_scale(self) -> float:
        """n_in by the sum of the inputs of the matrix's factors, at least 1."""
        n_in = self.n_in or 1
        return max(1.0, n_in / self._fans())

    def _fans(self):
        """Inputs of the blocks of each factor of the layer's matrix, their sum."""
        return self.n_in or 1

    def forward(self, x: NDArray) -> tuple[NDArray, Any]:
        """Return the output and what `backward` needs.

        Parameters
        ----------
        x : array, shape (batch, n_in)
            C-ordered and of the layer's dtype; not checked, not modified.

        Returns
        -------
        y : array, shape (batch, n_out)
        saved : object
        """
        raise NotImplementedError

    def forward_training(self, x: NDArray, rng: Generator) -> tuple[NDArray, Any]:
        """Do as `forward`, in a training step: what `fit` calls.

        Parameters
        ----------
        x : array, shape (batch, n_in)
            As for `forward`, which is called unless a subclass overrides this.
        rng : Generator
            That of `fit`, for layers that are random in training. A layer that
            contains others passes it on to their `forward_training`.

        Returns
        -------
        y : array, shape (batch, n_out)
        saved : object
        """
        return self.forward(x)

    def backward(
        self,
        saved: Any,
        g: NDArray,
        gparameters: NDArray,
        *,
        input_gradient: bool = True,
    ) -> NDArray | None:
        """Return the gradient of the input and write that of the parameters.

        Parameters
        ----------
        saved : object
            From `forward` or `forward_training`.
        g : array, shape (batch, n_out)
            Gradient of the loss with respect to the output; not modified.
        gparameters : array, shape (size,)
            Overwritten with the gradient of `parameters`.
        input_gradient : bool
            False: the gradient of the input is not needed.

        Returns
        -------
        array, shape (batch, n_in), or None if it is not needed
        """
        raise NotImplementedError

    def __call__(self, x: ArrayLike) -> NDArray:
        """Predict: the outputs for real samples (rows, n_in), in bounded memory.

        x may be a sparse matrix of SciPy; some of its rows at a time become dense.

        Raises
        ------
        ValueError, TypeError
            If x is not two-dimensional, real and of width n_in.
        """
        if is_plain(x, self.dtype, 2, self.n_in) and 0 < len(x) <= MIN_CHUNK_ROWS:
            return self._predict(x)
        x = as_samples("x", x, self.n_in, sparse=True)
        dtype = self.dtype or np.result_type(x.dtype, np.float32)
        if x.shape[0] == 1:
            return self._predict(as_batch(rows_of(x, slice(1)), dtype))
        y = np.empty((x.shape[0], self.n_out or x.shape[1]), dtype)
        rows = CHUNK_ELEMENTS // max(1, self._width())
        rows = max(rows // MIN_CHUNK_ROWS, 1) * MIN_CHUNK_ROWS
        for start in range(0, len(y), rows):
            chunk = slice(start, start + rows)
            y[chunk], _ = self.forward(as_batch(rows_of(x, chunk), dtype))
        return y

    def _predict(self, x):
        """The outputs for one chunk, in an array of their own."""
        y, _ = self.forward(x)
        return y.copy() if np.may_share_memory(x, y) else y

    def save(self, path: str | os.PathLike, *, about: dict | None = None) -> None:
        """Write the layer to an .npz file, at once or not at all; see `nn.load`.

        Parameters
        ----------
        path : str or path
            Used as it is; a file of that name is replaced.
        about : dict, optional
            What else is to be known, such as the names of the classes: anything that
            JSON holds. `nn.about` reads it.

        Raises
        ------
        TypeError
            If `about` is not as described.
        OSError
            If the file cannot be written; an earlier file is then still there.
        """
        arrays = self.parameters, *self._fixed_arrays()
        write(path, self._describe(), *arrays, about)

    def _own(self, **arrays):
        """Copy the arrays into one new buffer and keep views into it as attributes."""
        self._shapes = {name: array.shape for name, array in arrays.items()}
        size = sum(array.size for array in arrays.values())
        self._bind(np.empty(size, self.dtype))
        for name, view in self._views(self._parameters).items():
            view[...] = arrays[name]

    def _bind(self, buffer):
        """Make attributes views into `buffer`, which becomes the parameters."""
        self._parameters = buffer
        ends = accumulate(map(math.prod, self._shapes.values()), initial=0)
        self._slices = [slice(*bounds) for bounds in pairwise(ends)]
        self.__dict__.update(self._views(buffer))

    def _views(self, flat):
        """Views of the parts of a flat array that belong to each parameter, by name."""
        named = zip(self._shapes.items(), self._slices, strict=True)
        return {name: flat[part].reshape(shape) for (name, shape), part in named}

    def _width(self):
        """Elements a sample that `forward` keeps alive."""
        return (self.n_in or 1) + (self.n_out or 1)

    def _describe(self):
        """Structure as a dict for JSON, without the elements of the arrays."""
        raise NotImplementedError(f"{type(self).__name__} cannot be saved")

    def _fixed_arrays(self):
        """Arrays that training does not change: constants and indices, both flat."""
        return np.empty(0, self.dtype or np.float32), np.empty(0, np.int64)

    def __getstate__(self):
        derived = {*self._shapes, "_slices", "_first_trained", "_in_network"}
        return {k: v for k, v in self.__dict__.items() if k not in derived}

    def __setstate__(self, state):
        # A copied or unpickled layer needs views into its own buffer, a writable one:
        # what joblib maps from a file is not.
        self.__dict__.update(state)
        buffer = self._parameters
        self._bind(buffer if buffer.flags.writeable else buffer.copy())
