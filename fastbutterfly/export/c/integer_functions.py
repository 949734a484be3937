"""The functions that exported integer code is made of, in C99.

`{w}` is the type of weights, `{acc}` that of sums, `{index}` that of indices; `{wide}`
ends the names of functions with 64-bit sums. A source defines those that it calls, in
this order.
"""

from .data_movement import MOVES
from .float_pointwise import POINTWISE

FUNCTIONS = {
    "saturated": """
/* x / 2**shift as int16_t: rounded, halves up, and saturated. C leaves >> of negative
   integers to the compiler; all compilers for devices keep the sign, as is needed. */
static int16_t saturated{wide}({acc} x, int shift)
{{
    x = (x + ((({acc})1 << shift) >> 1)) >> shift;
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}}
""",
    "matrix": """
/* y = W x / 2**shift. */
static void matrix{wide}(const {w} *restrict w, const int16_t *restrict x,
        int16_t *restrict y, int rows, int columns, int shift)
{{
    for (int i = 0; i < rows; i++, w += columns) {{
        {acc} sum = 0;
        for (int j = 0; j < columns; j++)
            sum += ({acc})w[j] * x[j];
        y[i] = saturated{wide}(sum, shift);
    }}
}}
""",
    "butterfly": """
/* Blocks 2 x 2, in place: x[k] and x[k + d] are mixed, in each of a groups of 2 d. */
static void butterfly{wide}(const {w} *restrict w, int16_t *restrict x, int a, int d,
        int shift)
{{
    for (int i = 0; i < a; i++, w += 4 * d, x += 2 * d)
        for (int k = 0; k < d; k++) {{
            const {acc} p = x[k], q = x[d + k];
            x[k] = saturated{wide}(w[k] * p + w[d + k] * q, shift);
            x[d + k] = saturated{wide}(w[2 * d + k] * p + w[3 * d + k] * q, shift);
        }}
}}
""",
    "pairs": """
/* Listed blocks 2 x 2, in place: x[first[i]] and x[first[i] + d] are mixed. */
static void pairs{wide}(const {w} *restrict w, const {index} *restrict first,
        int16_t *restrict x, int count, int d, int shift)
{{
    for (int i = 0; i < count; i++, w += 4) {{
        int16_t *a = x + first[i], *b = a + d;
        const {acc} p = *a, q = *b;
        *a = saturated{wide}(w[0] * p + w[1] * q, shift);
        *b = saturated{wide}(w[2] * p + w[3] * q, shift);
    }}
}}
""",
    "blocks": """
/* Blocks b x c: elements d apart are mixed, in each of a groups of c d. */
static void blocks{wide}(const {w} *restrict w, const int16_t *restrict x,
        int16_t *restrict y, int a, int b, int c, int d, int shift)
{{
    for (int i = 0; i < a; i++, x += c * d)
        for (int r = 0; r < b; r++, w += c * d, y += d)
            for (int k = 0; k < d; k++) {{
                {acc} sum = 0;
                for (int s = 0; s < c; s++)
                    sum += ({acc})w[s * d + k] * x[s * d + k];
                y[k] = saturated{wide}(sum, shift);
            }}
}}
""",
    "add": """
/* x = x + values, saturated. */
static void add(const int16_t *restrict values, int16_t *restrict x, int n)
{{
    for (int i = 0; i < n; i++)
        x[i] = saturated((int32_t)x[i] + values[i], 0);
}}
""",
    "scale": """
/* x = x * values / 2**15. */
static void scale(const int16_t *restrict values, int16_t *restrict x, int n)
{{
    for (int i = 0; i < n; i++)
        x[i] = saturated((int32_t)x[i] * values[i], 15);
}}
""",
    "relu": POINTWISE["relu"],
    "to_integers": """
/* y = x * scale, rounded with halves away from zero; NaN becomes 0. */
static void to_integers(const float *restrict x, int16_t *restrict y, int n,
                        float scale)
{{
    for (int i = 0; i < n; i++) {{
        /* Volatile: rounded to float here, also where products and sums are fused. */
        volatile float v = x[i] * scale;
        const float limited = v > 32767 ? 32767 : v < -32768 ? -32768 : v == v ? v : 0;
        const int32_t whole = (int32_t)limited;
        const float rest = limited - (float)whole;
        y[i] = (int16_t)(whole + (rest >= 0.5f) - (rest <= -0.5f));
    }}
}}
""",
    "to_floats": """
/* y = x * scale. */
static void to_floats(const int16_t *restrict x, float *restrict y, int n, float scale)
{{
    for (int i = 0; i < n; i++)
        y[i] = (float)x[i] * scale;
}}
""",
} | MOVES
SUMS = {"acc": "int32_t", "wide": ""}
WIDE_SUMS = {"acc": "int64_t", "wide": "_wide"}
