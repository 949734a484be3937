"""Butterflies and the formats of other libraries; see `fastbutterfly.interop`."""

from .interop.factors import *  # noqa: F403
from .interop.factors import __all__  # noqa: F401
