"""Butterflies and the formats of other libraries; see `fastbutterfly.interop`."""

from .interop import *  # noqa: F403
from .interop import __all__  # noqa: F401
