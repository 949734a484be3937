"""C99 functions of floating-point layers: products of weights and inputs.

`{f}` is the type of elements, `{index}` that of indices.
"""

PRODUCTS = {
    "matrix": """
/* y = W x. Four independent sums, so that additions overlap. */
static void matrix(const {f} *restrict w, const {f} *restrict x, {f} *restrict y,
                   int rows, int columns)
{{
    const int whole = columns - columns % 4;
    for (int i = 0; i < rows; i++, w += columns) {{
        {f} p = 0, q = 0, r = 0, s = 0;
        for (int j = 0; j < whole; j += 4) {{
            p += w[j] * x[j];
            q += w[j + 1] * x[j + 1];
            r += w[j + 2] * x[j + 2];
            s += w[j + 3] * x[j + 3];
        }}
        for (int j = whole; j < columns; j++)
            p += w[j] * x[j];
        y[i] = p + q + (r + s);
    }}
}}
""",
    "matrix_wide": """
/* y = W x. Sixteen sums at a time, so that compilers use vector registers. */
static void matrix_wide(const {f} *restrict w, const {f} *restrict x,
                        {f} *restrict y, int rows, int columns)
{{
    const int whole = columns - columns % 16;
    for (int i = 0; i < rows; i++, w += columns) {{
        {f} sums[16] = {{0}}, total = 0;
        for (int j = 0; j < whole; j += 16)
            for (int t = 0; t < 16; t++)
                sums[t] += w[j + t] * x[j + t];
        for (int t = 0; t < 16; t++)
            total += sums[t];
        for (int j = whole; j < columns; j++)
            total += w[j] * x[j];
        y[i] = total;
    }}
}}
""",
    "butterfly": """
/* Blocks 2 x 2, in place: x[k] and x[k + d] are mixed, in each of a groups of 2 d. */
static void butterfly(const {f} *restrict w, {f} *restrict x, int a, int d)
{{
    for (int i = 0; i < a; i++, w += 4 * d, x += 2 * d)
        for (int k = 0; k < d; k++) {{
            const {f} p = x[k], q = x[d + k];
            x[k] = w[k] * p + w[d + k] * q;
            x[d + k] = w[2 * d + k] * p + w[3 * d + k] * q;
        }}
}}
""",
    "butterfly_fixed": """
/* The same for a = {a}, d = {d}: with constant bounds, compilers vectorise it. */
static void butterfly_{a}_{d}(const {f} *restrict w, {f} *restrict x)
{{
    for (int i = 0; i < {a}; i++, w += 4 * {d}, x += 2 * {d})
        for (int k = 0; k < {d}; k++) {{
            const {f} p = x[k], q = x[{d} + k];
            x[k] = w[k] * p + w[{d} + k] * q;
            x[{d} + k] = w[2 * {d} + k] * p + w[3 * {d} + k] * q;
        }}
}}
""",
    "pairs": """
/* Listed blocks 2 x 2, in place: x[first[i]] and x[first[i] + d] are mixed. */
static void pairs(const {f} *restrict w, const {index} *restrict first,
                  {f} *restrict x, int count, int d)
{{
    for (int i = 0; i < count; i++, w += 4) {{
        {f} *a = x + first[i], *b = a + d;
        const {f} p = *a, q = *b;
        *a = w[0] * p + w[1] * q;
        *b = w[2] * p + w[3] * q;
    }}
}}
""",
    "blocks": """
/* Blocks b x c: elements d apart are mixed, in each of a groups of c d. */
static void blocks(const {f} *restrict w, const {f} *restrict x, {f} *restrict y,
                   int a, int b, int c, int d)
{{
    for (int i = 0; i < a; i++, x += c * d)
        for (int r = 0; r < b; r++, y += d) {{
            for (int k = 0; k < d; k++)
                y[k] = 0;
            for (int s = 0; s < c; s++, w += d)
                for (int k = 0; k < d; k++)
                    y[k] += w[k] * x[s * d + k];
        }}
}}
""",
}
