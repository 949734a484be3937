"""Exported networks on a Cortex-M4, emulated by QEMU: the same outputs on digits."""

import re
import sys
from pathlib import Path

import exports
import numpy as np
import pytest
from laws import tolerance
from sklearn.datasets import load_digits

from fastbutterfly import export, nn

sys.path.insert(0, str(Path(__file__).parent.parent / "studies"))
firmware = __import__("firmware")

pytestmark = pytest.mark.skipif(bool(firmware.missing()), reason=firmware.missing())

COUNT = 30


def network(curved=False):
    """Of most kinds of layers; integers have rules for all of them, unless curved."""
    between = (nn.GELU(), nn.LayerNorm(96)) if curved else (nn.ReLU(),)
    return exports.spread_out(
        nn.Sequential(
            *(nn.ButterflyLinear(64, 96, rng=0), *between),
            *(nn.ButterflyDense(96, 64, rng=1), nn.ReLU(), nn.Dense(64, 10, rng=2)),
        )
    )


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data[:COUNT] - 5) / 6


@pytest.mark.parametrize("unit", ["hard", "soft"])
@pytest.mark.parametrize(
    ("form", "curved"), [("loops", False), ("loops", True), ("vector", True)]
)
def test_floating_point_is_the_networks_to_rounding(
    tmp_path, digits, unit, form, curved
):
    net = network(curved)
    result = firmware.on_device(net, tmp_path, unit, digits, form=form)
    y, z = result.scores.astype(float), net(digits.astype(np.float32)).astype(float)
    assert y.shape == (COUNT, 10)
    errors = np.linalg.norm(y - z, axis=1) / np.linalg.norm(z, axis=1)
    assert errors.max() <= tolerance(np.float32, 4 * 128)
    np.testing.assert_array_equal(result.classes, result.scores.argmax(axis=1))


@pytest.mark.parametrize("unit", ["hard", "soft"])
@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("floats", [True, False])
def test_integers_are_the_emulated_ones_to_the_bit(
    tmp_path, digits, unit, dtype, floats
):
    options = {"calibration": digits[: COUNT // 2] / 2, "floats": floats}
    result = firmware.on_device(
        network(), tmp_path, unit, digits, dtype=dtype, **options
    )
    assert result.scores.dtype == (np.float32 if floats else np.int16)
    assert result.scores.tobytes() == result.expected.tobytes()
    np.testing.assert_array_equal(result.classes, result.expected.argmax(axis=1))


def test_integers_call_no_floating_point(tmp_path, digits):
    """The compiler's own functions that software floating point needs are not there."""
    options = {"calibration": digits, "dtype": "int8"}
    for floats in False, True:
        firmware.on_device(
            network(), tmp_path, "soft", digits, floats=floats, **options
        )
        elf = firmware.build(tmp_path, "soft", "model_only", "-DWITH_MODEL")
        symbols = firmware.command(["arm-none-eabi-nm", elf])
        assert bool(re.search(r"__aeabi_f", symbols)) is floats


def test_flash_and_ram_are_what_the_header_says(tmp_path, digits):
    """Besides code; and less than of a dense network."""
    for how in {"dtype": "float32"}, {"dtype": "int8", "floats": False}:
        sizes = {}
        for name, net in firmware.networks().items():
            made = export.to_c(net, tmp_path, samples=digits, **how)
            flash, ram = sizes[name] = firmware.size(tmp_path, "hard")
            assert made.ram <= ram < made.ram + 8
            assert made.flash <= flash < made.flash + 2048
        assert 6 * sizes["butterfly"][0] < sizes["dense"][0]
        assert sizes["butterfly"][1] <= sizes["dense"][1]


def test_a_device_that_computes_something_else_is_noticed(tmp_path, digits):
    net = network()
    firmware.on_device(net, tmp_path, "hard", digits)
    source = tmp_path / "model.c"
    source.write_text(source.read_text().replace("x[k] = w[k] * p", "x[k] = p", 1))
    with pytest.raises(RuntimeError, match="qemu-system-arm failed"):
        firmware.run(tmp_path, "hard", digits.astype(np.float32))
