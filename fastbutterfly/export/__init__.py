"""Export: networks as C, as integers, as ONNX."""

from .c.to_c import CExport, Sizes, sizes, to_c
from .onnx.to_onnx import to_onnx
from .quantized.aware import QuantizationAware
from .quantized.quantize import Quantized, emulate, quantize

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
