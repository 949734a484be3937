"""Block chain: layers of any patterns, one after the other, tile by tile.

For each tile, some registers of samples:

1. Rows are transposed into the tile, in squares of as many samples as a register has
   lanes; columns are read where they are.
2. Each layer reads one half of the tile and writes the other, see `dense_blocks`.
3. Rows are transposed back; the last layer writes columns where they belong.

For gradients the input of every layer is kept. Then, from the last layer to the first:
add to the sums for its weights, and multiply the gradient by its adjoint.

`table` has five integers for each layer: its pattern a, b, c, d, and where its weights
begin. A tile view whose samples are all the same register works on it twice.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, loop, read_only, staged, tile_view, transpose
from .dense_blocks import layer_product, layer_product_of_one, layer_sums


@staged
def _transpose_in(x, start, stride, target, first, last, count):
    """Coordinates first ... last - 1 of samples that are rows, into a tile."""
    tile, begin, row, sample = target
    u = x.lanes
    for h in loop(0, count):
        for i in loop(first, last, u):
            at = [start + (h * u + j) * stride + i for j in range(u)]
            for j, v in enumerate(transpose([x.load(k) for k in at])):
                tile.store(begin + (i + j) * row + h * sample, v)


@staged
def _transpose_out(source, y, start, stride, first, last, count):
    """As `_transpose_in`, from a tile to samples that are rows."""
    tile, begin, row, sample = source
    u = y.lanes
    for h in loop(0, count):
        for i in loop(first, last, u):
            at = [begin + (i + j) * row + h * sample for j in range(u)]
            for j, v in enumerate(transpose([tile.load(k) for k in at])):
                y.store(start + (h * u + j) * stride + i, v)


@helper
def _enter(x, start, n, target, count):
    """All n coordinates; the last square may overlap the one before."""
    u = lanes(x)
    _transpose_in(x, start, n, target, 0, n - n % u, count)
    if n % u > 0:
        _transpose_in(x, start, n, target, n - u, n, count)


@helper
def _leave(source, y, start, n, count):
    """As `_enter`, out of a tile."""
    u = lanes(y)
    _transpose_out(source, y, start, n, 0, n - n % u, count)
    if n % u > 0:
        _transpose_out(source, y, start, n, n - u, n, count)


@helper
def _layers(source, target, tile, w, table, count, has_next):
    """From source to target; in between, the two halves of the tile take turns.

    `has_next` is 0 for one register of samples, else 1. Computed here from `count` it
    made rows of size 720 a fifth slower.
    """
    u, half, depth = lanes(w), len(tile) // 2, len(table) // 5
    for k in range(depth):
        a = tile_view(read_only(tile), k % 2 * half, count * u, has_next * u)
        b = tile_view(tile, (1 - k % 2) * half, count * u, has_next * u)
        if k == 0:
            a = source
        if k == depth - 1:
            b = target
        layer_product(a, b, w, table, k, count)


@jit
def chain_rows(x, w, y, tile, table, sizes):
    """y = B x for each row of x, all flat; at least `count` registers of rows.

    sizes: (n_in, n_out, count). n_in and n_out are at least a register; `count` is
    even or one. The last rows may be worked on twice, so x and y must not be the
    same.
    """
    n_in, n_out, count = sizes
    u, half, done, batch = lanes(w), len(tile) // 2, 0, len(x) // n_in
    has_next, out = min(count - 1, 1), len(table) // 5 % 2
    while done < batch:
        start = min(done, batch - count * u)
        first = tile_view(tile, 0, count * u, has_next * u)
        last = tile_view(tile, out * half, count * u, has_next * u)
        _enter(x, start * n_in, n_in, first, count)
        source = tile_view(read_only(tile), 0, count * u, has_next * u)
        _layers(source, last, tile, w, table, count, has_next)
        _leave(last, y, start * n_out, n_out, count)
        done += count * u


@jit
def chain_row_by_row(x, w, y, room, table, sizes):
    """y = B x for each row of x, one after the other, element by element, all flat.

    `room` is for two rows of whatever is between layers.
    """
    n_in, n_out = sizes
    half, depth = len(room) // 2, len(table) // 5
    for h in range(len(x) // n_in):
        for k in range(depth):
            a = tile_view(read_only(room), k % 2 * half, 1, 0)
            b = tile_view(room, (1 - k % 2) * half, 1, 0)
            if k == 0:
                a = tile_view(x, h * n_in, 1, 0)
            if k == depth - 1:
                b = tile_view(y, h * n_out, 1, 0)
            layer_product_of_one(a, b, w, table, k, 1)


@jit
def chain_columns(x, w, y, tile, table, sizes):
    """y = B x for planes (n_in, columns) of x, all flat, columns first ... last - 1.

    sizes: (n_in, n_out, columns, first, last, registers in a tile). There is at least
    a register of columns; the last register may overlap the one before.
    """
    n_in, n_out, columns, first, last, most = sizes
    u = lanes(w)
    for plane in range(len(x) // (n_in * columns)):
        start = first
        while start < last:
            count = min(most, (last - start) // u)
            if count > 1:
                count -= count % 2
            else:
                start, count = min(start, last - u), 1
            has_next = min(count - 1, 1)
            source = tile_view(x, plane * n_in * columns + start, columns, has_next * u)
            target = tile_view(
                y, plane * n_out * columns + start, columns, has_next * u
            )
            _layers(source, target, tile, w, table, count, has_next)
            start += count * u


@jit
def chain_gradient(x, g, weights, gx, gw, tile, tables, sizes):
    """gx = B^H g and gw += sums over samples for the weights' gradient, all flat.

    weights, tables: those of B and of B^H. sizes: (n_in, n_out, largest, count).
    There are whole tiles of `count` registers, an even number; `tile` has room for
    each layer's input, and two more, of `largest` coordinates.
    """
    (w, adjoint), (table, back), (n_in, n_out, largest, count) = weights, tables, sizes
    u, depth, slot = lanes(w), len(table) // 5, largest * count * lanes(w)
    row, read = count * u, read_only(tile)
    for done in range(0, len(x) // n_in, row):
        _enter(x, done * n_in, n_in, tile_view(tile, 0, row, u), count)
        for k in range(depth - 1):
            a, b = (
                tile_view(read, k * slot, row, u),
                tile_view(tile, (k + 1) * slot, row, u),
            )
            layer_product(a, b, w, table, k, count)
        _enter(g, done * n_out, n_out, tile_view(tile, depth * slot, row, u), count)
        for j in range(depth):
            k = depth - 1 - j
            saved = tile_view(read, k * slot, row, u)
            a = tile_view(read, (depth + j % 2) * slot, row, u)
            b = tile_view(tile, (depth + 1 - j % 2) * slot, row, u)
            layer_sums(saved, a, gw, table, k, count)
            layer_product(a, b, adjoint, back, j, count)
        last = tile_view(tile, (depth + depth % 2) * slot, row, u)
        _leave(last, gx, done * n_in, n_in, count)
