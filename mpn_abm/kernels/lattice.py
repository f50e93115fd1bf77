"""Places next to a site, and removing a cell: what the mechanisms on the lattice share."""

from numba import int64

from mpn_abm.kernels.candidates import fold, quotient
from mpn_abm.kernels.compiler import jit


@jit
def sites_around(site, lattice, out):
    """Write the 3 x 3 (or 3 x 3 x 3) sites around and including one; returns how many.

    Slowest axis first, so that the site itself is in the middle. At a border the lattice is folded or
    wrapped, and a site may stand twice.
    """
    row = quotient(site, lattice.width)
    plane = quotient(row, lattice.height)
    x = site - row * lattice.width
    y = row - plane * lattice.height
    n = 0
    reach = 1 if lattice.radius_z > 0 else 0
    for dz in range(-reach, reach + 1):
        z = fold(plane + dz, lattice.depth, lattice.reflecting) if reach > 0 else plane
        for dy in range(-1, 2):
            above = (z * lattice.height + fold(y + dy, lattice.height, lattice.reflecting)) * lattice.width
            if x > 0 and x < lattice.width - 1:
                out[n] = above + x - 1
                out[n + 1] = above + x
                out[n + 2] = above + x + 1
            else:
                out[n] = above + fold(x - 1, lattice.width, lattice.reflecting)
                out[n + 1] = above + x
                out[n + 2] = above + fold(x + 1, lattice.width, lattice.reflecting)
            n += 3
    return n


@jit
def sum_around(values, lattice, line, sums):
    """Sum of the 3 x 3 (or 3 x 3 x 3) sites around and including each site, as ``sites_around`` has them.

    Parameters
    ----------
    values : int64[S]
    line : int64[width + 2], written
        Scratch.
    sums : int64[S], written
    """
    width, height = lattice.width, lattice.height
    reach = 1 if lattice.radius_z > 0 else 0
    before, middle, after = line[:width], line[1 : width + 1], line[2 : width + 2]
    for plane in range(lattice.depth):
        for row in range(height):
            for dz in range(-reach, reach + 1):
                z = fold(plane + dz, lattice.depth, lattice.reflecting) if reach > 0 else plane
                # slices, as an index that is a sum might be negative for all that the compiler knows
                first = (z * height + fold(row - 1, height, lattice.reflecting)) * width
                above = values[first : first + width]
                first = (z * height + row) * width
                here = values[first : first + width]
                first = (z * height + fold(row + 1, height, lattice.reflecting)) * width
                below = values[first : first + width]
                kept = int64(dz > -reach)
                for x in range(width):
                    middle[x] = kept * middle[x] + above[x] + here[x] + below[x]
            line[0] = line[fold(-1, width, lattice.reflecting) + 1]
            line[width + 1] = line[fold(width, width, lattice.reflecting) + 1]
            first = (plane * height + row) * width
            total = sums[first : first + width]
            for x in range(width):
                total[x] = before[x] + middle[x] + after[x]


@jit
def step_towards(site, heading, lattice):
    """The next site in one of the 8 (26) directions, or -1 beyond a reflecting border."""
    k = heading
    neighbours = 26 if lattice.radius_z > 0 else 8
    if k >= neighbours // 2:
        k += 1
    row = site // lattice.width
    plane = row // lattice.height
    x = site - row * lattice.width + k % 3 - 1
    y = row - plane * lattice.height + (k // 3) % 3 - 1
    z = plane + k // 9 - 1 if lattice.radius_z > 0 else plane
    inside = x >= 0 and x < lattice.width and y >= 0 and y < lattice.height and z >= 0 and z < lattice.depth
    if not inside:
        if lattice.reflecting:
            return int64(-1)
        x = fold(x, lattice.width, False)
        y = fold(y, lattice.height, False)
        z = fold(z, lattice.depth, False)
    return (z * lattice.height + y) * lattice.width + x
