"""Export: networks as C, as integers, as ONNX."""

from .c import CExport, to_c
from .quantize import Quantized, emulate, quantize

__all__ = ["CExport", "Quantized", "emulate", "quantize", "to_c"]
