"""From a trained network to C: write, compile, run, compare with Python."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from sklearn.datasets import load_digits

from fastbutterfly import export, nn

MAIN = """
#include <stdio.h>
#include "digits.h"
int main(void) {
    float x[DIGITS_INPUTS];
    for (int i = 0; scanf("%f", &x[i]) == 1; i = (i + 1) % DIGITS_INPUTS)
        if (i == DIGITS_INPUTS - 1) printf("%d\\n", digits_class(x));
}
"""

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
net = nn.Sequential(
    nn.ButterflyLinear(64, 64, rng=0), nn.ReLU(), nn.Dense(64, 10, rng=1)
)
loss, optimizer = nn.CrossEntropy(), nn.Adam(0.01)
nn.fit(net, X, y, loss=loss, optimizer=optimizer, epochs=20, rng=0, progress=False)
predicted = net(X).argmax(axis=1)
print(f"{(predicted == y).mean():.1%} of the training images right in Python")

with tempfile.TemporaryDirectory() as folder:
    code = export.to_c(net, folder, name="digits")  # digits.c, digits.h
    print(f"{code.flash:,} bytes of flash besides the code, {code.ram:,} bytes of RAM")
    if shutil.which("gcc"):
        (Path(folder) / "main.c").write_text(MAIN)
        command = ["gcc", "-std=c99", "-O2", "main.c", "digits.c", "-o", "main"]
        subprocess.run(command, cwd=folder, check=True)
        samples = "\n".join(map(str, X.ravel()))
        main = [Path(folder) / "main"]
        output = subprocess.check_output(main, input=samples, text=True)
        same = predicted == [int(line) for line in output.split()]
        print(f"C gives the class of Python for {same.sum():,} of {len(X):,} images")
    else:
        print("no gcc here: the files are only written")
