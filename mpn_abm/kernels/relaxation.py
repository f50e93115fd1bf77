"""A value that approaches a target at a constant rate."""

import math

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay


@jit
def relax(value, target, x):
    """Exponential approach over x time constants: the value reached, and its mean on the way."""
    left = decay(x)
    mean_left = (1.0 - left) / x if x > 1e-6 else 1.0 - 0.5 * x
    return target + (value - target) * left, target + (value - target) * mean_left


@jit
def mean_saturation(value, target, x, half):
    """Mean of v/(v + half) while v approaches the target over x > 0 time constants.

    With v = u + b exp(-t) it is 1 - half/a (1 + ln((a + b exp(-x))/(a + b))/x), a = u + half.
    """
    a = target + half
    b = value - target
    return 1.0 - half / a * (1.0 + math.log((a + b * decay(x)) / (a + b)) / x)
