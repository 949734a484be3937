"""info: a model's layers and needs, or versions and CPU."""

import io
from pathlib import Path

import numpy as np

from ... import __version__
from .. import output_files, saved_model
from ..csv import listed
from ..help_text import MODEL

SUMMARY = "show what is in a model and what it needs, or versions and CPU"
DETAILS = "Without a model: versions, CPU and cache folder."
EXAMPLES = "", "flowers.npz", "flowers.npz --plot flowers.png"


def add_arguments(parser):
    """Add the arguments of the command."""
    parser.add_argument("model", type=Path, nargs="?", help=MODEL)
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the butterflies: .png, .pdf or .svg; several get numbered files",
    )


def run(options):
    """Print, and draw if asked to."""
    if options.model is None:
        if options.plot is not None:
            options.fail("argument --plot: needs a model")
        _print_machine()
        return
    if options.plot is not None:
        output_files.check(options.plot, sources=[options.model])
    model = saved_model.read(options.model)
    print(f"{options.model}  {model}")
    if model.classes:
        print(f"classes: {listed(model.classes, 20)}")
    _print_layers(model.net)
    print(flush=True)
    _print_needs(model.net)
    if options.plot is not None:
        _plot(model.net, options.plot)


def _print_machine():
    from ..._base import machine

    print(f"fastbutterfly  {__version__}")
    for name, version in machine.versions("numpy", "numba", "scipy").items():
        print(f"{name:<13}  {version}")
    print(f"CPU            {machine.cpu_name()}")
    print(f"registers      {machine.register_bits()} bits")
    print(f"cache          {machine.cache_folder()}")


def _print_layers(net):
    """Print a line for each layer."""
    from ...nn import Sequential

    layers = net.layers if type(net) is Sequential else (net,)
    names = [repr(layer) for layer in layers]
    width, n = max(map(len, [*names, "layer"])), net.n_in
    print(f"\n{'layer':<{width}}  {'outputs':>9}  {'weights':>11}")
    for name, layer in zip(names, layers, strict=True):
        n = layer.n_out or n
        print(f"{name:<{width}}  {n:>9,}  {layer.n_weights:>11,}")
    print(f"{'':<{width}}  {'':>9}  {net.n_weights:>11,}")


def _print_needs(net):
    """Print the memory of the exported C code, from code that is really generated."""
    from ... import export

    samples = np.random.default_rng(0).standard_normal((8, net.n_in))
    print(f"{'as C':<9}  {'flash':>13}  {'RAM':>13}   (besides code and stack)")
    products = None
    for dtype in ("float32", "int16", "int8"):
        try:
            sizes = export.sizes(net, dtype=dtype, samples=samples)
        except (TypeError, ValueError) as error:
            print(f"{dtype:<9}  not possible: {error}")
            continue
        products = sizes.products if products is None else products
        flash, ram = output_files.size(sizes.flash), output_files.size(sizes.ram)
        print(f"{dtype:<9}  {flash:>13}  {ram:>13}")
    if products is not None:
        print(f"{products:,} multiply-adds a sample")


def _butterflies(layer):
    """All butterflies in a layer."""
    if hasattr(layer, "operator"):
        return [layer.operator]
    inner = getattr(layer, "layers", ())
    return [butterfly for part in inner for butterfly in _butterflies(part)]


def _plot(net, path):
    """One picture for each butterfly."""
    try:
        from ... import plot
    except ImportError as error:
        raise ImportError("--plot needs matplotlib: pip install matplotlib") from error
    butterflies = _butterflies(net)
    if not butterflies:
        raise ValueError("--plot draws butterflies, and the model has none")
    for i, operator in enumerate(butterflies, 1):
        several = len(butterflies) > 1
        target = path.with_stem(f"{path.stem}-{i}") if several else path
        picture, kind = io.BytesIO(), target.suffix[1:] or "png"
        plot.factors(operator).savefig(picture, format=kind)
        output_files.save(target, picture.getvalue())
        print(f"wrote {target}: the layers of a butterfly, {operator.shape}")
