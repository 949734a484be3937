"""The functions that exported floating-point code is made of, in C99.

A source defines those that it calls, in this order.
"""

from .data_movement import CHANNELS, MOVES
from .float_pointwise import POINTWISE
from .float_products import PRODUCTS

FUNCTIONS = PRODUCTS | MOVES | POINTWISE | CHANNELS
