"""The numbered list of candidates of a step: where each one happens follows from its draws alone."""

import numpy as np
from llvmlite import ir
from numba import int32, int64, types, uint32, uint64
from numba.core import cgutils
from numba.extending import intrinsic

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import EVENT, philox

BATCH = 256
PREFETCH_AHEAD = 32
# Below this the lattice lies in the second-level cache and prefetching only costs instructions.
PREFETCH_SITES = 200_000


@intrinsic
def prefetch(typing_context, array, index):
    """Ask for the cache line of array[index]; reads nothing, checks nothing."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        byte = ir.IntType(8).as_pointer()
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(builder.gep(data, [args[1]]), byte)
        builder.call(function, [address, i32(1), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(array, index), codegen


@jit
def draw_candidates(first, number, step, key_low, key_high, lattice, recirculation, batch):
    """Write candidates first .. first + number - 1 into the batch.

    The loop has no branch and no memory access but its stores, so that it compiles to vector code. It
    runs on to a multiple of 16; what lies beyond ``number`` is never read.

    Parameters
    ----------
    first, number, step : int64
        ``number`` is at most BATCH.
    lattice : Lattice
    recirculation : uint64
        Threshold of the word that sends a daughter to a place of the whole lattice.
    batch : uint32[5, BATCH], written
        Source, target, action (high half), block of the source, block of the target.
    """
    side = uint32(2 * lattice.radius + 1)
    neighbours = uint32(side * side - uint32(1)) if lattice.radius_z == 0 else uint32(side * side * side - uint32(1))
    half = uint32(neighbours >> uint32(1))
    # k // side by a product and a shift: exact for k < side^3 up to a radius of 15
    reciprocal = uint32((uint32(1 << 20) + side - uint32(1)) // side)
    depth, height, width = uint32(lattice.depth), uint32(lattice.height), uint32(lattice.width)
    d, h, w = int32(lattice.depth), int32(lattice.height), int32(lattice.width)
    radius, radius_z = int32(lattice.radius), int32(lattice.radius_z)
    block_height, block_width = uint32(lattice.block_height), uint32(lattice.block_width)
    reflecting = lattice.reflecting
    stream, now = uint32(EVENT), uint32(step)
    sources, targets, actions = batch[0], batch[1], batch[2]
    source_blocks, target_blocks = batch[3], batch[4]
    for j in range((number + 15) & ~15):
        w0, w1, w2, w3 = philox(uint32(uint32(first) + uint32(j)), now, stream, key_low, key_high)
        p = uint64(w0) * uint64(depth)
        z = uint32(p >> uint64(32))
        p = uint64(uint32(p)) * uint64(height)
        y = uint32(p >> uint64(32))
        x = uint32((uint64(uint32(p)) * uint64(width)) >> uint64(32))
        p = uint64(w3) * uint64(depth)
        far_z = int32(uint32(p >> uint64(32)))
        p = uint64(uint32(p)) * uint64(height)
        far_y = int32(uint32(p >> uint64(32)))
        far_x = int32(uint32((uint64(uint32(p)) * uint64(width)) >> uint64(32)))
        k = uint32((uint64(w3) * uint64(neighbours)) >> uint64(32))
        k = uint32(k + (uint32(1) if k >= half else uint32(0)))
        rows = uint32(uint32(k * reciprocal) >> uint32(20))
        planes = uint32(uint32(rows * reciprocal) >> uint32(20))
        planes = planes if radius_z > int32(0) else uint32(0)
        near_z = int32(int32(z) + int32(planes) - radius_z)
        near_y = int32(int32(y) + int32(uint32(rows - planes * side)) - radius)
        near_x = int32(int32(x) + int32(uint32(k - rows * side)) - radius)
        if reflecting:
            near_z = int32(int32(-1) - near_z) if near_z < 0 else near_z
            near_y = int32(int32(-1) - near_y) if near_y < 0 else near_y
            near_x = int32(int32(-1) - near_x) if near_x < 0 else near_x
            near_z = int32(d + d - int32(1) - near_z) if near_z >= d else near_z
            near_y = int32(h + h - int32(1) - near_y) if near_y >= h else near_y
            near_x = int32(w + w - int32(1) - near_x) if near_x >= w else near_x
        else:
            near_z = int32(near_z + (d if near_z < 0 else int32(0)))
            near_y = int32(near_y + (h if near_y < 0 else int32(0)))
            near_x = int32(near_x + (w if near_x < 0 else int32(0)))
            near_z = int32(near_z - (d if near_z >= d else int32(0)))
            near_y = int32(near_y - (h if near_y >= h else int32(0)))
            near_x = int32(near_x - (w if near_x >= w else int32(0)))
        far = uint64(w2) < recirculation
        tz = uint32(far_z if far else near_z)
        ty = uint32(far_y if far else near_y)
        tx = uint32(far_x if far else near_x)
        sources[j] = uint32(uint32(z * height + y) * width + x)
        targets[j] = uint32(uint32(tz * height + ty) * width + tx)
        actions[j] = w1
        source_blocks[j] = uint32(
            uint32((z >> uint32(2)) * block_height + (y >> uint32(2))) * block_width + (x >> uint32(2))
        )
        target_blocks[j] = uint32(
            uint32((tz >> uint32(2)) * block_height + (ty >> uint32(2))) * block_width + (tx >> uint32(2))
        )


@jit
def place(word, lattice):
    """A uniformly random site of the lattice from one word."""
    p = uint64(word) * uint64(lattice.depth)
    z = p >> uint64(32)
    p = uint64(uint32(p)) * uint64(lattice.height)
    y = p >> uint64(32)
    x = (uint64(uint32(p)) * uint64(lattice.width)) >> uint64(32)
    return int64((z * uint64(lattice.height) + y) * uint64(lattice.width) + x)


@jit
def fold(coordinate, length, reflecting):
    """Bring a coordinate at most one length outside back onto the lattice."""
    if coordinate < 0:
        return -1 - coordinate if reflecting else coordinate + length
    if coordinate >= length:
        return 2 * length - 1 - coordinate if reflecting else coordinate - length
    return coordinate


@jit
def quotient(number, divisor):
    """number // divisor of whole numbers below 2^50, by a product: a division takes three times as long.

    The half keeps the product away from whole numbers by more than its rounding.
    """
    return int64((number + 0.5) * (1.0 / divisor))


@jit
def neighbour(word, site, lattice):
    """A uniformly random neighbour of a site within the homing radius, from one word."""
    side = 2 * lattice.radius + 1
    number = side * side - 1 if lattice.radius_z == 0 else side * side * side - 1
    k = int64((uint64(word) * uint64(number)) >> uint64(32))
    if k >= number // 2:
        k += 1
    row = site // lattice.width
    plane = row // lattice.height
    x = fold(site - row * lattice.width + k % side - lattice.radius, lattice.width, lattice.reflecting)
    y = row - plane * lattice.height + (k // side) % side - lattice.radius
    y = fold(y, lattice.height, lattice.reflecting)
    z = plane
    if lattice.radius_z > 0:
        z = fold(plane + k // (side * side) - lattice.radius_z, lattice.depth, lattice.reflecting)
    return (z * lattice.height + y) * lattice.width + x


@jit
def block_of(site, lattice):
    """The block of 4 sites a side that holds a site."""
    row = quotient(site, lattice.width)
    plane = quotient(row, lattice.height)
    x = site - row * lattice.width
    y = row - plane * lattice.height
    return ((plane >> 2) * lattice.block_height + (y >> 2)) * lattice.block_width + (x >> 2)


def new_batch():
    """An empty batch for ``draw_candidates``."""
    return np.empty((5, BATCH), np.uint32)
