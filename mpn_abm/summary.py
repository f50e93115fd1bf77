"""What the rows of a run come to: one line per replicate."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from mpn_abm.columns import PHASES

ONE_PERCENT = 0.01
# a spleen response: smaller by 35 % or more
RESPONSE = -0.35


def summed_up(
    column: Mapping[str, np.ndarray], day: np.ndarray, first: np.ndarray, sites: np.ndarray
) -> dict[str, np.ndarray | pa.Array]:
    """Columns of the summary that follow from the rows of living patients.

    Parameters
    ----------
    column : arrays by name
        Of the trajectory; the rows of a replicate stand together, in the order of time.
    day : float64[rows]
    first : int64[replicates]
        First row of each replicate.
    sites : int64[replicates]
        Of the lattice.
    """
    last = np.append(first[1:], len(day)) - 1
    vaf, mutants = column["vaf_driver"], column["vaf_jak2"] + column["vaf_calr"] > 0.0
    healthy = column["genotype_cells_wild_type"] + column.get("genotype_cells_donor", 0.0)
    arrays: dict[str, np.ndarray | pa.Array] = {
        "vaf_driver_start": vaf[first],
        "vaf_driver_end": vaf[last],
        "vaf_driver_min": np.minimum.reduceat(vaf, first),
        "vaf_below_1pct_day": first_day((vaf < ONE_PERCENT) & so_far(vaf >= ONE_PERCENT, first), day, first),
        "eradicated": np.logical_or.reduceat(mutants, first) & ~mutants[last],
        "healthy_min_fraction": np.minimum.reduceat(healthy, first) / sites,
    }
    if "mf_grade" in column:
        grade = column["mf_grade"].astype(np.int64)
        arrays |= {"mf_grade_start": grade[first], "mf_grade_end": grade[last]}
    if "spleen_ml" in column:
        spleen = column["spleen_ml"]
        change = spleen / np.repeat(spleen[first], last - first + 1) - 1.0
        arrays["svr35_day"] = first_day(change <= RESPONSE, day, first)
        arrays["spleen_best_relative_change"] = np.minimum.reduceat(change, first)
    if "phase" in column:
        arrays["phase_end"] = np.array(PHASES, object)[column["phase"][last].astype(np.int64)]
    if "car_t_total" in column:
        cells = column["car_t_total"]
        peak = np.maximum.reduceat(cells, first)
        at_peak = (cells == np.repeat(peak, last - first + 1)) & (cells > 0.0)
        arrays["car_t_peak"] = peak
        arrays["car_t_peak_day"] = first_day(at_peak, day, first)
        arrays["kills"] = column["kills"][last].astype(np.int64)
    return arrays


def so_far(holds: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Whether something held in this row or an earlier one of the same replicate."""
    rows = np.arange(len(holds))
    latest = np.maximum.accumulate(np.where(holds, rows, -1))
    return latest >= np.repeat(first, np.diff(np.append(first, len(holds))))


def first_day(holds: np.ndarray, day: np.ndarray, first: np.ndarray) -> pa.Array:
    """First day of each replicate on which something holds; null if it never did."""
    found = np.minimum.reduceat(np.where(holds, day, np.inf), first)
    return pa.array(found, mask=np.isinf(found))
