"""export: a model as C99, with what it takes on a device, or as ONNX."""

import json
from pathlib import Path

import numpy as np

from ... import export
from .. import output_files, saved_model
from .. import table as tables

INTEGERS = "int8", "int16"
WORDS = {  # of Python in messages, and of the command line
    "dtype='float32', form='loops'": "--dtype float32 --form loops",
    "dtype='int8' or 'int16'": "--dtype int8 or int16",
    "dtype='float32'": "--dtype float32",
    "floats=False": "--no-floats",
}


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
    except (
        TypeError,
        ValueError,
    ) as error:  # no rule, too little RAM
        text = str(error)
        for python, word in WORDS.items():
            text = text.replace(python, word)
        raise ValueError(f"{options.model} cannot be exported so: {text}") from error
    if model.classes:
        named = (f"{i} {name!r}" for i, name in enumerate(model.classes))
        print(f"classes: {', '.join(named)}")


def _check(options):
    """What the arguments alone tell."""
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
    net, dtype = model.net, options.dtype or "float32"
    common = {
        "name": options.name,
        "form": options.form or "loops",
        "floats": not options.no_floats,
        "ram": options.ram,
    }
    if dtype in INTEGERS:
        net = export.quantize(net, samples, dtype=dtype)
    made = export.to_c(net, options.output, dtype=dtype, samples=samples, **common)
    print(f"wrote {made.source} and {made.header}")
    print(
        f"{dtype}: {made.flash:,} bytes of flash besides the code, {made.ram:,} bytes "
        f"of RAM, {made.products:,} multiply-adds a sample"
    )
    if dtype in INTEGERS:
        print(f"{dtype} against {model.net.dtype}: {_agreement(net, model, samples)}")


def _agreement(quantized, model, samples):
    """How much integers change, in words."""
    y, found = saved_model.outputs(model, samples), export.emulate(quantized, samples)
    if y.shape[1] > 1:
        same = np.mean(y.argmax(axis=1) == found.argmax(axis=1))
        return f"the same class for {100 * same:.2f} % of {len(y):,} samples"
    error = np.sqrt(np.mean((found - y) ** 2))
    return f"root mean square difference {error:.4g} for {len(y):,} samples"


def _to_onnx(options, model, samples):
    path = Path(options.output) / f"{options.name}.onnx"
    known = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in model.names.items()
    }
    dtype = options.dtype
    export.to_onnx(model.net, path, dtype=dtype, name=options.name, metadata=known)
    print(f"wrote {path}: {output_files.size(path)}, opset 13")
