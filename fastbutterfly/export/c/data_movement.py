"""C99 functions that move elements of any type `{f}`, and compute nothing.

`{index}` is the type of indices.
"""

MOVES = {
    "copy": """
static void copy(const {f} *restrict x, {f} *restrict y, int n)
{{
    for (int i = 0; i < n; i++)
        y[i] = x[i];
}}
""",
    "spread": """
/* y[index[i]] = x[i], zeros elsewhere. */
static void spread(const {f} *restrict x, const {index} *restrict index,
                   {f} *restrict y, int count, int n)
{{
    for (int i = 0; i < n; i++)
        y[i] = 0;
    for (int i = 0; i < count; i++)
        y[index[i]] = x[i];
}}
""",
    "pick": """
/* y[i] = x[index[i]]. */
static void pick(const {f} *restrict x, const {index} *restrict index,
                 {f} *restrict y, int count)
{{
    for (int i = 0; i < count; i++)
        y[i] = x[index[i]];
}}
""",
    "transpose": """
/* x as a matrix, rows by columns, transposed; for layers with small strides. */
static void transpose(const {f} *restrict x, {f} *restrict y, int rows, int columns)
{{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            y[j * rows + i] = x[i * columns + j];
}}
""",
}
CHANNELS = {
    "channels": """
/* Column j of x (rows, columns), and back. */
static void channels(const {f} *restrict x, {f} *restrict y, int rows, int columns,
                     int j)
{{
    for (int i = 0; i < rows; i++)
        y[i] = x[i * columns + j];
}}

static void back(const {f} *restrict x, {f} *restrict y, int rows, int columns, int j)
{{
    for (int i = 0; i < rows; i++)
        y[i * columns + j] = x[i];
}}
""",
}
