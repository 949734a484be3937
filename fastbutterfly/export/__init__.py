"""Export: networks as C, as integers, as ONNX."""

from .._base.public import publish
from .c.to_c import CExport, Sizes, sizes, to_c
from .onnx.to_onnx import to_onnx
from .quantized.aware import AwareState, QuantizationAware
from .quantized.quantize import Quantized, emulate, quantize

__all__ = [
    "AwareState",
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

publish(globals(), __name__)
