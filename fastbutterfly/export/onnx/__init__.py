"""Networks as ONNX."""
