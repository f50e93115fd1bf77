"""How a quantity follows what drives it."""

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import decay


@jit
def relax(value, target, x):
    """Exponential approach over x time constants: the value reached, and its mean on the way."""
    left = decay(x)
    mean_left = (1.0 - left) / x if x > 1e-6 else 1.0 - 0.5 * x
    return target + (value - target) * left, target + (value - target) * mean_left
