"""Texts of the header and the source of an exported network, with fields to fill in.

`{name}` is that of the network, `{NAME}` the same in capitals; `{f}` is the type of
inputs and outputs, `{n}` that of elements between them, `{w}` that of weights.
"""

CLASS = (
    "1 if the score is positive, else 0.",
    "The index of the largest score, the first of equal ones.",
)
START = "/* {name}.c: see {name}.h. Generated; do not edit. */\n"
HEADER = """\
/* {name}.h: a network of fastbutterfly {version}, {n_in} -> {n_out}. Generated.
 *
 * types  weights {w}, activations {n}, inputs and outputs {f}
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
#define {NAME}_SCRATCH {scratch} /* elements */{scales}

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
/* 0 if the scores of some samples are those of the network in Python. */
int {name}_selftest(void);
#endif

#ifdef __cplusplus
}}
#endif
#endif
"""
SCALES = """
#define {NAME}_INPUT_SCALE {scale} /* an integer is an input times this */
#define {NAME}_OUTPUT_UNIT {unit} /* an output is an integer times this */"""
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
