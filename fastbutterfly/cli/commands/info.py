"""info: a model's layers and needs, or versions and CPU."""

import io

import numpy as np

from ... import __version__
from ..._base import machine
from .. import output_files


def run(options):
    """Print, and draw if asked to."""
    if options.model is None:
        if options.plot is not None:
            options.fail("argument --plot: needs a model")
        _machine_info()
        return
    from .. import saved_model

    if options.plot is not None:
        output_files.check(options.plot, sources=[options.model])
    model = saved_model.read(options.model)
    print(f"{options.model}  {model}")
    if model.classes:
        from ..csv import listed

        print(f"classes: {listed(model.classes, 20)}")
    _layers(model.net)
    print(flush=True)
    _needs(model.net)
    if options.plot is not None:
        _plot(model.net, options.plot)


def _machine_info():
    print(f"fastbutterfly  {__version__}")
    for name, version in machine.versions("numpy", "numba", "scipy").items():
        print(f"{name:<13}  {version}")
    print(f"CPU            {machine.cpu_name()}")
    print(f"registers      {machine.register_bits()} bits")
    print(f"cache          {machine.cache_folder()}")


def _layers(net):
    """A line for each layer."""
    layers = net.layers if type(net).__name__ == "Sequential" else (net,)
    names = [repr(layer) for layer in layers]
    width, n = max(map(len, [*names, "layer"])), net.n_in
    print(f"\n{'layer':<{width}}  {'outputs':>9}  {'weights':>11}")
    for name, layer in zip(names, layers, strict=True):
        n = layer.n_out or n
        print(f"{name:<{width}}  {n:>9,}  {layer.n_weights:>11,}")
    print(f"{'':<{width}}  {'':>9}  {net.n_weights:>11,}")


def _needs(net):
    """What the exported C code takes, by what it really is for some samples."""
    from ... import export

    samples = np.random.default_rng(0).standard_normal((8, net.n_in))
    print(f"{'as C':<9}  {'flash':>13}  {'RAM':>13}   (besides code and stack)")
    products = None
    for dtype in ("float32", "int16", "int8"):
        try:
            made = export.sizes(net, dtype=dtype, samples=samples)
        except (TypeError, ValueError) as error:
            print(f"{dtype:<9}  not possible: {error}")
            continue
        products = made.products if products is None else products
        flash, ram = output_files.size(made.flash), output_files.size(made.ram)
        print(f"{dtype:<9}  {flash:>13}  {ram:>13}")
    if products is not None:
        print(f"{products:,} multiply-adds a sample")


def _butterflies(layer):
    """All butterflies in a layer."""
    if hasattr(layer, "operator"):
        return [layer.operator]
    return [
        one for inner in getattr(layer, "layers", ()) for one in _butterflies(inner)
    ]


def _plot(net, path):
    """One picture for each butterfly."""
    try:
        from ... import plot
    except ImportError as error:
        raise ImportError("--plot needs matplotlib: pip install matplotlib") from error
    found = _butterflies(net)
    if not found:
        raise ValueError("--plot draws butterflies, and the model has none")
    for i, operator in enumerate(found, 1):
        target = path.with_stem(f"{path.stem}-{i}") if len(found) > 1 else path
        picture, kind = io.BytesIO(), target.suffix[1:] or "png"
        plot.factors(operator).savefig(picture, format=kind)
        output_files.save(target, picture.getvalue())
        print(f"wrote {target}: the layers of a butterfly, {operator.shape}")
