"""export: a model as C99, with its needs on a device, or as ONNX."""

import json
from pathlib import Path

import numpy as np

from .. import argument_types, output_files, saved_model
from .. import table as tables
from ..help_text import MODEL

SUMMARY = "write a trained network as C99 or as ONNX"
DETAILS = "Integers are calibrated on samples."
EXAMPLES = (
    "flowers.npz -o firmware",
    "flowers.npz -o firmware --dtype int8 --samples flowers.csv --ram 32K",
    "flowers.npz -o service --format onnx --name flowers",
)
INTEGERS = "int8", "int16"
OPTION_OF_ARGUMENT = {  # as messages of the library name it: as the command line does
    "dtype='float32', form='loops'": "--dtype float32 --form loops",
    "dtype='int8' or 'int16'": "--dtype int8 or int16",
    "dtype='float32'": "--dtype float32",
    "floats=False": "--no-floats",
}


def add_arguments(parser):
    """Add the arguments of the command."""
    parser.add_argument("model", type=Path, help=MODEL)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the files, created if missing",
    )
    parser.add_argument(
        "--format", choices=("c", "onnx"), default="c", help="default: c"
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "float64", *INTEGERS),
        help="default: float32, for ONNX that of the model",
    )
    parser.add_argument(
        "--samples", metavar="DATA", help="typical inputs, as for predict"
    )
    parser.add_argument(
        "--name", default="model", help="of files and functions (default: model)"
    )
    _add_c_arguments(parser)


def _add_c_arguments(parser):
    parser.add_argument(
        "--form", choices=("loops", "vector"), help="of C code (default: loops)"
    )
    parser.add_argument(
        "--no-floats",
        action="store_true",
        help="integers as inputs and outputs, too: C code without floating point",
    )
    parser.add_argument(
        "--ram",
        type=argument_types.size,
        metavar="SIZE",
        help="largest scratch memory of the C code, e.g. 32K",
    )


def run(options):
    """Read, write, say what was written."""
    _check(options)
    model = saved_model.read(options.model)
    output_files.check(options.output, folder=True)
    samples = None
    if options.samples is not None:
        samples = tables.for_network(options.samples, model)
    try:
        (_to_c if options.format == "c" else _to_onnx)(options, model, samples)
    except (TypeError, ValueError) as error:  # a layer without C form, too little RAM
        text = str(error)
        for argument, option in OPTION_OF_ARGUMENT.items():
            text = text.replace(argument, option)
        raise ValueError(f"{options.model} cannot be exported so: {text}") from error
    if model.classes:
        named = (f"{i} {name!r}" for i, name in enumerate(model.classes))
        print(f"classes: {', '.join(named)}")


def _check(options):
    """Reject what contradicts itself, before anything is read."""
    integers = options.dtype in INTEGERS
    if Path(options.name).name != options.name:
        options.fail(f"argument --name: must be a name of a file, got {options.name!r}")
    if options.format == "onnx":
        for name in ("ram", "form", "samples"):
            if getattr(options, name) is not None:
                options.fail(f"argument --{name}: not for --format onnx")
        if integers:
            options.fail(f"argument --dtype: {options.dtype} is not for --format onnx")
    if options.no_floats and not integers:
        options.fail("argument --no-floats: needs --dtype int8 or int16")
    if integers and options.form == "vector":
        options.fail(f"argument --form: vector is not for {options.dtype}")
    if integers and options.samples is None:
        options.fail(f"argument --samples: needed to calibrate {options.dtype}")


def _to_c(options, model, samples):
    from ... import export

    net, dtype = model.net, options.dtype or "float32"
    common = {
        "name": options.name,
        "form": options.form or "loops",
        "floats": not options.no_floats,
        "ram": options.ram,
    }
    if dtype in INTEGERS:
        net = export.quantize(net, samples, dtype=dtype)
    code = export.to_c(net, options.output, dtype=dtype, samples=samples, **common)
    print(f"wrote {code.source} and {code.header}")
    print(
        f"{dtype}: {code.flash:,} bytes of flash besides the code, {code.ram:,} bytes "
        f"of RAM, {code.products:,} multiply-adds a sample"
    )
    if dtype in INTEGERS:
        emulated = export.emulate(net, samples)
        agreement = _agreement(saved_model.outputs(model, samples), emulated)
        print(f"{dtype} against {model.net.dtype}: {agreement}")


def _agreement(y, emulated):
    """How much integers change the outputs y, in words."""
    if y.shape[1] > 1:
        same = np.mean(y.argmax(axis=1) == emulated.argmax(axis=1))
        return f"the same class for {100 * same:.2f} % of {len(y):,} samples"
    error = np.sqrt(np.mean((emulated - y) ** 2))
    return f"root mean square difference {error:.4g} for {len(y):,} samples"


def _to_onnx(options, model, samples):
    from ... import export

    path = Path(options.output) / f"{options.name}.onnx"
    metadata = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in model.names.items()
    }
    export.to_onnx(
        model.net, path, dtype=options.dtype, name=options.name, metadata=metadata
    )
    print(f"wrote {path}: {output_files.size(path)}, opset 13")
