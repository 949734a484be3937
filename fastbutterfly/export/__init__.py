"""Export: networks as C, as integers, as ONNX."""

from .aware import QuantizationAware
from .c import CExport, Sizes, sizes, to_c
from .onnx import to_onnx
from .quantize import Quantized, emulate, quantize

__all__ = [
    "CExport",
    "QuantizationAware",
    "Quantized",
    "Sizes",
    "emulate",
    "quantize",
    "sizes",
    "to_c",
    "to_onnx",
]
