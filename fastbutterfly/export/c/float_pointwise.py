"""C99 functions of floating-point layers without products: biases, norms, activations.

`{f}` is the type of elements, `{s}` the suffix of libm's functions for it.
"""

POINTWISE = {
    "add": """
/* x = x + values. */
static void add(const {f} *restrict values, {f} *restrict x, int n)
{{
    for (int i = 0; i < n; i++)
        x[i] += values[i];
}}
""",
    "norm": """
/* x = scale (x - mean) / sqrt(variance + eps) + shift. */
static void norm(const {f} *restrict scale, const {f} *restrict shift, {f} eps,
                 {f} *restrict x, int n)
{{
    {f} mean = 0, variance = 0;
    for (int i = 0; i < n; i++)
        mean += x[i];
    mean /= ({f})n;
    for (int i = 0; i < n; i++) {{
        x[i] -= mean;
        variance += x[i] * x[i];
    }}
    const {f} factor = 1 / sqrt{s}(variance / ({f})n + eps);
    for (int i = 0; i < n; i++)
        x[i] = x[i] * factor * scale[i] + shift[i];
}}
""",
    "relu": """
static void relu({f} *x, int n)
{{
    for (int i = 0; i < n; i++)
        x[i] = x[i] <= 0 ? 0 : x[i];
}}
""",
    "gelu": """
/* x times the normal distribution function. */
static void gelu({f} *x, int n)
{{
    for (int i = 0; i < n; i++)
        x[i] = x[i] < -50 ? 0 : x[i] * erfc{s}(x[i] * {minus_root_half}) / 2;
}}
""",
    "tanh": """
static void hyperbolic_tangent({f} *x, int n)
{{
    for (int i = 0; i < n; i++)
        x[i] = tanh{s}(x[i]);
}}
""",
    "sigmoid": """
static void sigmoid({f} *x, int n)
{{
    for (int i = 0; i < n; i++) {{
        const {f} e = exp{s}(-fabs{s}(x[i]));
        x[i] = (x[i] < 0 ? e : 1) / (1 + e);
    }}
}}
""",
}
ACTIVATIONS = {"ReLU": "relu", "GELU": "gelu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
USES_LIBM = {"norm", "gelu", "tanh", "sigmoid"}
