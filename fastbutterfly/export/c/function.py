"""A C function that applies steps: its calls, and its buffers in the scratch memory."""


class Function:
    """One C function ``void name(x, y, scratch)``, to which emission adds calls.

    Elements are in one of four buffers: x (the input, read only), a, b (scratch) and y
    (the output). `nested` elements of scratch after a and b, called ``rest`` in C, are
    for the functions that this one calls.
    """

    def __init__(self, unit, name):
        self.unit, self.name, self.lines = unit, name, []
        self.sizes, self.nested = {"a": 0, "b": 0}, 0

    def call(self, function, *arguments):
        """Add a call of a C function."""
        self.line(f"{function}({', '.join(map(str, arguments))});")

    def line(self, text):
        """Add a line."""
        self.lines.append(f"    {text}")

    def reserve(self, buffer, n):
        """Let a buffer have at least n elements; x and y are the caller's."""
        if buffer in self.sizes:
            self.sizes[buffer] = max(self.sizes[buffer], n)

    def reserve_nested(self, n):
        """Let there be at least n elements of scratch for called functions."""
        self.nested = max(self.nested, n)

    @property
    def scratch(self):
        """Elements of scratch."""
        return sum(self.sizes.values()) + self.nested

    @property
    def text(self):
        """The definition."""
        c_type, start, buffers = self.unit.element_type, 0, []
        for name, size in (*self.sizes.items(), ("rest", self.nested)):
            if size:
                buffers.append(f"    {c_type} *const {name} = scratch + {start};")
            start += size
        buffers = "\n".join(buffers or ["    (void)scratch;"])
        arguments = f"const {c_type} *x, {c_type} *y, {c_type} *scratch"
        body = "\n".join(self.lines)
        return f"static void {self.name}({arguments})\n{{\n{buffers}\n\n{body}\n}}\n"
