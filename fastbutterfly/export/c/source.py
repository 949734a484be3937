"""The header and the source of an exported network, as text."""

from ... import __version__
from . import float_functions, integer_functions, templates
from .float_pointwise import USES_LIBM
from .translation_unit import literal, literals


def render(model, name):
    """The texts of the header and the source of a `Model`."""
    unit, has_classes = model.run.unit, model.n_out > 1
    fields = {
        "name": name,
        "NAME": name.upper(),
        "indent": " " * len(name),
        "version": __version__,
        "f": model.interface.c_type,
        "n": unit.element_type,
        "w": unit.weight_type,
        "n_in": model.n_in,
        "n_out": model.n_out,
        "scratch": model.scratch,
        "flash": model.flash,
        "ram": model.ram,
        "products": model.products,
        "digest": model.digest,
        "class_means": templates.CLASS[has_classes],
        "of_scores": "largest(y)" if has_classes else "y[0] > 0",
        "infer": "run",
        "to_scores": "    run(x, y, scratch);",
        "include": "",
        "scales": "",
    }
    if model.interface.scales is not None:
        fields |= _integer_fields(model.interface, fields)
    return templates.HEADER.format(**fields), _source(model, fields)


def _integer_fields(interface, fields):
    """The fields that differ in integer code."""
    scale, unit = interface.scales[0], 1 / interface.scales[1]
    texts = {"scale": literal(scale, "float"), "unit": literal(unit, "float")}
    scales = templates.SCALES.format(**fields, **texts)
    changed = {"include": "\n#include <stdint.h>\n", "scales": scales}
    if interface.c_type == "float":
        to_scores = templates.TO_FLOATS.format(**fields)
        changed |= {"infer": "infer", "to_scores": to_scores}
    return changed


def _source(model, fields):
    """The text of the source; constants come first, callees before callers."""
    unit = model.run.unit
    # Integer code whose inputs and outputs are float converts these.
    converts = unit.element_type != model.interface.c_type
    includes = f'#include "{fields["name"]}.h"\n\n#include <stdint.h>\n'
    if unit.helpers.keys() & USES_LIBM:
        includes += "#include <math.h>\n"
    texts = [templates.START.format(**fields) + includes]
    texts += [constant.text for constant in unit.constants]
    texts += _helpers(unit, ["to_integers", "to_floats"] if converts else [])
    texts += [function.text for function in reversed(unit.functions)]
    texts.append(model.run.text)
    entry = [templates.INFER] if converts else []
    entry += [templates.LARGEST] if model.n_out > 1 else []
    entry += [templates.ENTRY, templates.SELFTEST]
    fields = fields | _self_test_fields(model.self_test, fields["f"])
    texts += [text.format(**fields) for text in entry]
    return "\n".join(text.strip("\n") + "\n" for text in texts)


def _helpers(unit, conversions):
    """The definitions of all helpers that are called, each variant once."""
    exact = unit.element_type == "int16_t"
    functions = integer_functions.FUNCTIONS if exact else float_functions.FUNCTIONS
    fields = {
        "f": unit.element_type,
        "s": "f" if unit.element_type == "float" else "",
        "w": unit.weight_type,
        "index": unit.index_type,
        "minus_root_half": "" if exact else literal(-(0.5**0.5), unit.element_type),
    }
    called = unit.helpers | {name: [{}] for name in conversions}
    return [
        template.format(**fields | variant)
        for name, template in functions.items()
        for variant in called.get(name, [])
    ]


def _self_test_fields(test, c_type):
    correct = "error == 0"
    if test.tolerance:
        limit = literal(test.tolerance, c_type)
        correct = f"error <= {limit} && error >= -{limit}"
    return {
        "count": len(test.x),
        "samples": _rows(test.x, c_type),
        "expected": _rows(test.y, c_type),
        "right": correct,
    }


def _rows(array, c_type):
    """The initialisers of the rows of a two-dimensional array."""
    rows = [literals(row, c_type, " " * 8) for row in array]
    return "".join(f"    {{\n{row}\n    }},\n" for row in rows)
