"""The compiled kernel gives the bits of a C program of the same definition (benchmarks/peers).

The digests stand in benchmarks/peers/README.md; the C program and a twin in plain integers gave them alike.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from twin.draws import words
from verification.kernel_marrow import Setup, build, two_genotypes

START_STREAM = 6
WORD_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class DrawnAtTheStart(Setup):
    """Site i is a JAK2 cell if the first word of stream 6 says so."""

    jak2_share: float = 0.0

    def pattern(self):
        sites = self.shape[0] * self.shape[1]
        threshold = int(self.jak2_share * 2**32)
        first_words = (words(self.seed, START_STREAM, site, 0)[0] for site in range(sites))
        genotype = np.array([2 if word < threshold else 1 for word in first_words])
        return genotype, genotype, np.zeros_like(genotype)

    def founders(self):
        return [(0, 0, 0, 0, 0), (0, 0, 0, 1, 1), (0, 0, 0, 2, 2)]


def digest_in_order(genotypes):
    """64-bit FNV-1a over one byte a site."""
    value = 0xCBF29CE484222325
    for genotype in genotypes:
        value = ((value ^ genotype) * 0x100000001B3) & WORD_MASK
    return f"{value:016x}"


def digest_any_order(genotypes, clones):
    """Sum of mixed (genotype, clone, site), whatever the order of the sites."""
    total = 0
    for site, (genotype, clone) in enumerate(zip(genotypes, clones, strict=True)):
        z = (genotype + (clone << 32) + (site + 1) * 0x9E3779B97F4A7C15) & WORD_MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD_MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD_MASK
        total = (total + (z ^ (z >> 31))) & WORD_MASK
    return f"{total:016x}"


@pytest.mark.parametrize(
    ("arguments", "counts", "clones", "in_order", "any_order"),
    [
        ("32 60 .05 .01 .02 .3 3 7 .1", [173, 591, 260], 0, "703476bacf220058", "e437dea8172eed6d"),
        ("40 60 .05 .04 .01 .3 3 1 .3 .003", [977, 251, 372], 99, "6a07a71d3a93f2e2", "cff196baaa956b73"),
        ("33 60 .3 .1 -.05 1 5 3 .01 .001", [378, 696, 15], 43, "240d67ed32ccba53", "7e728be84b06e5f1"),
        ("64 30 .25 .25 0 0 1 2 .5", [3694, 205, 197], 0, "fc5a3f8a26c6696e", "e08d16f825e5587c"),
        ("24 300 .3 .01 .1 .9 12 4503599627370496 .01", [17, 0, 559], 0, "71ee0280da4c63cf", "4198a660bde6ce46"),
    ],
)
def test_the_bits_are_those_of_the_c_program(arguments, counts, clones, in_order, any_order):
    side, steps, division, loss, advantage, recirculation, radius, seed, share, *mutation = arguments.split()
    plain = vars(two_genotypes(0.0))
    setup = DrawnAtTheStart(
        **plain
        | {
            "shape": (int(side), int(side)),
            "division_rate": float(division),
            "loss_rate": float(loss),
            "fitness": (0.0, 0.0, float(advantage)),
            "recirculation": float(recirculation),
            "radius": int(radius),
            "seed": int(seed),
            "jak2_share": float(share),
            "mutation": ((0.0,), (float(mutation[0]) if mutation else 0.0,), (0.0,)),
            "becomes": ((0,), (2,), (0,)),
        }
    )
    kernel = build(setup)
    kernel.run(0, int(steps))
    cells = kernel.state.cell.tolist()
    genotypes = [cell & 0xFF for cell in cells]
    assert np.bincount(genotypes, minlength=3).tolist() == counts
    assert kernel.state.tally[0] - 3 == clones
    assert digest_in_order(genotypes) == in_order
    assert digest_any_order(genotypes, [cell >> 32 for cell in cells]) == any_order
