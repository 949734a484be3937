"""The header and the source of an exported network, as text."""

from ... import __version__
from .float_functions import USES_LIBM
from .writer import wrapped

CLASS = (
    "1 if the score is positive, else 0.",
    "The place of the largest score, the first of equal ones.",
)
START = "/* {name}.c: see {name}.h. Generated; do not edit. */\n"
HEADER = """\
/* {name}.h: a network of fastbutterfly {version}, {n_in} -> {n_out}. Generated.
 *
 * types  weights {w}, numbers {n}, inputs and outputs {f}
 * flash  {flash} bytes of weights and tables, besides the code
 * RAM    {ram} bytes of scratch
 * work   {products} multiply-adds a sample
 * model  {digest}
 */
#ifndef {NAME}_H
#define {NAME}_H
{include}
#define {NAME}_INPUTS {n_in}
#define {NAME}_OUTPUTS {n_out}
#define {NAME}_SCRATCH {scratch} /* numbers */{scales}

#ifdef __cplusplus
extern "C" {{
#endif

/* The scores of one sample. x and y must not overlap. */
void {name}_scores(const {f} x[{NAME}_INPUTS], {f} y[{NAME}_OUTPUTS]);

/* {class_means} */
int {name}_class(const {f} x[{NAME}_INPUTS]);

/* The same without static memory, for use from several threads or an interrupt. */
void {name}_scores_r(const {f} x[{NAME}_INPUTS], {f} y[{NAME}_OUTPUTS],
{indent}               {n} scratch[{NAME}_SCRATCH]);
int {name}_class_r(const {f} x[{NAME}_INPUTS], {n} scratch[{NAME}_SCRATCH]);

#ifdef {NAME}_SELFTEST
/* 0 if the scores of some samples are those that the network had in Python. */
int {name}_selftest(void);
#endif

#ifdef __cplusplus
}}
#endif
#endif
"""
ENTRY = """
void {name}_scores_r(const {f} x[{NAME}_INPUTS], {f} y[{NAME}_OUTPUTS],
{indent}               {n} scratch[{NAME}_SCRATCH])
{{
{to_scores}
}}

int {name}_class_r(const {f} x[{NAME}_INPUTS], {n} scratch[{NAME}_SCRATCH])
{{
    {n} *const y = scratch + {NAME}_SCRATCH - {NAME}_OUTPUTS;
    {infer}(x, y, scratch);
    return {of_scores};
}}

static {n} memory[{NAME}_SCRATCH];

void {name}_scores(const {f} x[{NAME}_INPUTS], {f} y[{NAME}_OUTPUTS])
{{
    {name}_scores_r(x, y, memory);
}}

int {name}_class(const {f} x[{NAME}_INPUTS])
{{
    return {name}_class_r(x, memory);
}}
"""
INFER = """
static void infer(const float *x, int16_t *y, int16_t *scratch)
{{
    int16_t *const numbers = scratch + {NAME}_SCRATCH - {NAME}_OUTPUTS - {NAME}_INPUTS;
    to_integers(x, numbers, {NAME}_INPUTS, {NAME}_INPUT_SCALE);
    run(numbers, y, scratch);
}}
"""
TO_FLOATS = """\
    int16_t *const numbers = scratch + {NAME}_SCRATCH - {NAME}_OUTPUTS;
    infer(x, numbers, scratch);
    to_floats(numbers, y, {NAME}_OUTPUTS, {NAME}_OUTPUT_UNIT);"""
LARGEST = """
static int largest(const {n} *y)
{{
    int best = 0;
    for (int i = 1; i < {NAME}_OUTPUTS; i++)
        if (y[i] > y[best])
            best = i;
    return best;
}}
"""
SELFTEST = """
#ifdef {NAME}_SELFTEST
static const {f} samples[{count}][{NAME}_INPUTS] = {{
{samples}}};
static const {f} expected[{count}][{NAME}_OUTPUTS] = {{
{expected}}};

int {name}_selftest(void)
{{
    static {f} y[{NAME}_OUTPUTS];
    int wrong = 0;
    for (int s = 0; s < {count}; s++) {{
        {name}_scores(samples[s], y);
        for (int i = 0; i < {NAME}_OUTPUTS; i++) {{
            const {f} error = ({f})(y[i] - expected[s][i]);
            wrong += !({right});
        }}
    }}
    return wrong;
}}
#endif
"""


def contents(model, name):
    """The texts of header and source."""
    code, both = model.code, model.n_out > 1
    fields = {
        "name": name,
        "NAME": name.upper(),
        "indent": " " * len(name),
        "version": __version__,
        "f": model.outside,
        "n": code.kind,
        "w": code.weights,
        "n_in": model.n_in,
        "n_out": model.n_out,
        "scratch": model.scratch,
        "flash": model.flash,
        "ram": model.ram,
        "products": model.products,
        "digest": model.digest,
        "class_means": CLASS[both],
        "of_scores": "largest(y)" if both else "y[0] > 0",
        "infer": "run",
        "to_scores": "    run(x, y, scratch);",
        "include": "",
        "scales": "",
    }
    if model.exact:
        fields |= _of_integers(model, fields)
    return HEADER.format(**fields), _source(model, fields)


def _of_integers(model, fields):
    """The fields that are others with integers."""
    literal = model.code.literal
    into, out = model.scales
    into, unit = literal(into), literal(1 / out)
    scales = f"""
#define {fields["NAME"]}_INPUT_SCALE {into} /* an integer is an input times this */
#define {fields["NAME"]}_OUTPUT_UNIT {unit} /* an output is an integer times this */"""
    found = {"include": "\n#include <stdint.h>\n", "scales": scales}
    if model.outside == "float":
        found |= {"infer": "infer", "to_scores": TO_FLOATS.format(**fields)}
    return found


def _source(model, fields):
    code, literal = model.code, model.code.literal
    floats = model.exact and model.outside == "float"
    if floats:
        code.call("to_integers")
        code.call("to_floats")
    fill = {
        "f": code.kind,
        "s": "f" if code.kind == "float" else "",
        "w": code.weights,
        "index": code.index,
        "minus_root_half": "" if model.exact else literal(-(0.5**0.5)),
    }
    includes = f'#include "{fields["name"]}.h"\n\n#include <stdint.h>\n'
    if code.used.keys() & USES_LIBM:
        includes += "#include <math.h>\n"
    parts = [START.format(**fields) + includes]
    parts += [code.definition(*constant) for constant in code.constants]
    parts += [
        model.functions[key].format(**{**fill, **sizes})
        for key in model.functions
        for sizes in _distinct(code.used.get(key, []))
    ]
    parts += [part.text for part in reversed(code.parts)]
    entry = [INFER] * floats + [LARGEST] * (model.n_out > 1) + [ENTRY, SELFTEST]
    tests = fields | _of_selftest(model)
    parts += [model.run.text, *(text.format(**tests) for text in entry)]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _of_selftest(model):
    x, y, literal = model.x, model.y, model.code.literal
    plain = literal if model.outside != "int16_t" else str
    right = "error == 0"
    if not model.exact:
        most = literal(model.error)
        right = f"error <= {most} && error >= -{most}"
    return {
        "count": len(x),
        "samples": _table(x, plain),
        "expected": _table(y, plain),
        "right": right,
    }


def _distinct(dicts):
    return [one for i, one in enumerate(dicts) if one not in dicts[:i]]


def _table(rows, literal):
    """Rows of a two-dimensional array."""
    rows = [wrapped([literal(v) for v in row], "        ") for row in rows]
    return "".join(f"    {{\n{row}\n    }},\n" for row in rows)
