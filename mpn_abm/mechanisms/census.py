"""Take stock of a marrow: one row of the trajectory, and one row per living clone."""

from typing import NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import jit
from mpn_abm.mechanisms.blood.kernel import PLATELETS, RED_CELLS, WHITE_CELLS, put_out, share_cells
from mpn_abm.mechanisms.car_t.life import exhaustion_of
from mpn_abm.state import (
    BLASTS,
    CLONE_ROWS,
    DEAD_STEP,
    ENGAGED,
    GRAFT,
    HEALTHY_KILLED,
    KILLS,
    LEADING_GENE,
    NEXT_CLONE,
    PHASE,
    PLASMA,
    ROWS,
    SPLEEN,
    SUPPRESSION,
    SYMPTOMS,
    T_CELLS,
    T_QUALITY,
)

JAK2, CALR = 1, 2
DAYS_PER_YEAR = 365.25


class CensusRules(NamedTuple):
    """What the census needs to know besides the mechanisms' rules."""

    founders: int  # clones of the file have ids 1 .. founders
    row_at: np.ndarray  # int64[rows]  boundaries with a row
    clone_rows: int  # 1 if clones are recorded
    gene: np.ndarray  # int64[bases]  0 none, 1 JAK2, 2 CALR
    copies: np.ndarray  # int64[bases]  mutant copies
    molecules: np.ndarray  # float64[classes, 256]
    mutant_bases: np.ndarray  # int64[...]  bases whose persistence is recorded
    drug_of: np.ndarray  # int64[T]  column of a treatment's drug, -1 if it has none
    drugs: int


@jit
def write_turnover(row, at, births, sites, clones):
    """Divisions whose daughter stayed, over the sites, and the clones that are not of the file."""
    divisions = 0
    for g in range(births.shape[0]):
        divisions += births[g]
    row[at] = divisions / float(sites)
    row[at + 1] = clones


@jit
def write_vaf(row, at, boundary, output, tally, gene, copies_of):
    """Mutant over all copies in granulocytes, two a cell, of both genes and of the leading one."""
    jak2 = 0.0
    calr = 0.0
    for b in range(output.shape[0]):
        if gene[b] == JAK2:
            jak2 += output[b] * 0.5 * copies_of[b]
        elif gene[b] == CALR:
            calr += output[b] * 0.5 * copies_of[b]
    row[at] = jak2
    row[at + 1] = calr
    if boundary == 0 and max(jak2, calr) > 0.0:
        tally[LEADING_GENE] = JAK2 if jak2 >= calr else CALR
    if tally[LEADING_GENE] == 0:
        row[at + 2] = max(jak2, calr)
    else:
        row[at + 2] = jak2 if tally[LEADING_GENE] == JAK2 else calr


@jit
def write_antigen(row, at, antigen_cells, molecules, density):
    """Mean density of the cells that carry the antigen, 0 without such cells."""
    cells = 0.0
    total = 0.0
    for c in range(1, antigen_cells.shape[0]):
        for byte in range(256):
            cells += antigen_cells[c, byte]
            total += antigen_cells[c, byte] * molecules[c, byte] * density[c]
    row[at] = total / cells if cells > 0.0 else 0.0


@jit
def write_car_t(row, at, agents, tally, rules, today):
    """T cells by state, in cells, and what they did."""
    searching = 0
    engaged = 0
    exhausted = 0
    memory = 0
    for a in range(tally[T_CELLS]):
        if exhaustion_of(agents.exhaustion[a], rules) > 0.5:
            exhausted += 1
        if rules.tissue == 1:
            holds = agents.state[a] == ENGAGED
        else:
            holds = agents.exhaustion[a] > 0.0 and today - agents.contact[a] <= 1.0
        if agents.memory[a] == 1:
            memory += 1
        elif holds:
            engaged += 1
        else:
            searching += 1
    row[at] = searching * rules.cells_per_agent
    row[at + 1] = engaged * rules.cells_per_agent
    row[at + 2] = exhausted * rules.cells_per_agent
    row[at + 3] = memory * rules.cells_per_agent
    row[at + 4] = tally[T_CELLS] * rules.cells_per_agent
    row[at + 5] = tally[KILLS]
    row[at + 6] = tally[HEALTHY_KILLED]
    row[at + 7] = agents.readout[0] * 1e4


@jit
def write_patient(row, places, body, tally, blood):
    """Counts, spleen, symptoms and phase, as far as the scenario has them."""
    if places.blood >= 0:
        hematocrit = blood.normal[RED_CELLS] * body.blood[RED_CELLS, 2]
        row[places.blood] = blood.normal[PLATELETS] * body.blood[PLATELETS, 2]
        row[places.blood + 1] = hematocrit
        row[places.blood + 2] = blood.hemoglobin * hematocrit
        row[places.blood + 3] = blood.normal[WHITE_CELLS] * body.blood[WHITE_CELLS, 2]
    if places.spleen >= 0:
        row[places.spleen] = body.reading[SPLEEN]
        row[places.spleen + 1] = body.reading[SYMPTOMS]
    if places.progression >= 0:
        row[places.progression] = 100.0 * body.reading[BLASTS]
        row[places.progression + 1] = tally[PHASE]


@jit
def write_mean_pd_l1(row, at, pd_l1, output, genotype_cells, activity, car_t):
    """Mean PD-L1 of granulocytes, and of megakaryocytes, of which a stem cell makes 1 + b A; 0 without cells."""
    granulocytes = 0.0
    for b in range(pd_l1.shape[0]):
        granulocytes += output[b] * pd_l1[b]
    made = 0.0
    megakaryocytes = 0.0
    for g in range(1, genotype_cells.shape[0]):
        b = car_t.base[g]
        share = genotype_cells[g] * (1.0 + car_t.output[g] * activity[b])
        made += share
        megakaryocytes += share * pd_l1[b]
    row[at] = granulocytes
    row[at + 1] = megakaryocytes / made if made > 0.0 else 0.0


@jit
def write_immunity(row, places, immunity, body, mutant_bases, is_mutant):
    """Suppression, the hazard of mutant cells by T cells of the patient, the quality of these, and PD-L1."""
    if places.immune >= 0:
        row[places.immune] = immunity.strain[SUPPRESSION]
        mutants = 0.0
        pressure = 0.0
        for b in range(body.share.shape[0]):
            if is_mutant[b] == 1:
                mutants += body.share[b]
                pressure += body.share[b] * (immunity.hazard[b] - body.reading[GRAFT])
        row[places.immune + 1] = pressure / mutants * DAYS_PER_YEAR if mutants > 0.0 else 0.0
        row[places.immune + 2] = immunity.strain[T_QUALITY]
    if places.pd_l1 >= 0:
        for k in range(mutant_bases.shape[0]):
            row[places.pd_l1 + k] = immunity.pd_l1[mutant_bases[k]]


@jit
def next_row(record, tally, boundary):
    """Number of the next free row of the block, which is taken."""
    r = tally[ROWS]
    record.row_at[r] = boundary
    tally[ROWS] = r + 1
    return r


@jit
def write_row(
    counters, signal, scar_summary, immunity, body, agents, record, tally, places, rules, base, car_t, blood,
    is_mutant, sites, step, due, boundary,
):  # fmt: skip
    """Append a row of the trajectory and the living clones if they are due; after death it holds no number.

    Where a condition of a treatment asks, the columns are kept in ``signal.seen``, recorded or not.
    """
    if tally[DEAD_STEP] > 0:
        if due:
            record.rows[next_row(record, tally, boundary)] = np.nan
        return
    share_cells(counters.genotype_cells, base, body.share)
    put_out(body, signal.activity, blood)
    watched = signal.seen.shape[0] > 0
    row = signal.seen if watched else record.rows[tally[ROWS]]
    row[places.cells_total] = sites - counters.genotype_cells[0]
    write_turnover(row, places.turnover, counters.births, sites, tally[NEXT_CLONE] - 1 - rules.founders)
    for k in range(rules.founders):
        row[places.cells + k] = counters.clone_cells[k + 1]
        row[places.fraction + k] = counters.clone_cells[k + 1] / float(sites)
    bases = signal.activity.shape[0]
    for b in range(bases):
        row[places.genotype_cells + b] = 0.0
        row[places.activity + b] = signal.activity[b]
    for g in range(1, counters.genotype_cells.shape[0]):
        row[places.genotype_cells + base[g]] += counters.genotype_cells[g]
    for k in range(rules.mutant_bases.shape[0]):
        row[places.persistence + k] = signal.persistence[rules.mutant_bases[k]]
    write_vaf(row, places.vaf, boundary, body.output, tally, rules.gene, rules.copies)
    if places.antigen >= 0:
        write_antigen(row, places.antigen, counters.antigen_cells, rules.molecules, immunity.density)
    if places.scar >= 0:
        row[places.scar] = scar_summary[0]
        row[places.scar + 1] = scar_summary[1]
    if places.car_t >= 0:
        write_car_t(row, places.car_t, agents, tally, car_t, boundary * step)
    for k in range(rules.drugs):
        row[places.concentration + k] = 0.0
    for k in range(rules.drug_of.shape[0]):
        if rules.drug_of[k] >= 0:
            row[places.concentration + rules.drug_of[k]] += signal.drug[k, PLASMA]
    write_patient(row, places, body, tally, blood)
    write_immunity(row, places, immunity, body, rules.mutant_bases, is_mutant)
    if places.mean_pd_l1 >= 0:
        write_mean_pd_l1(
            row, places.mean_pd_l1, immunity.pd_l1, body.output, counters.genotype_cells, signal.activity, car_t
        )
    if not due:
        return
    r = next_row(record, tally, boundary)
    if watched:
        for column in range(row.shape[0]):
            record.rows[r, column] = row[column]
    if rules.clone_rows == 1:
        write_clones(counters.clone_cells, record.clone_rows, tally, boundary)


@jit
def write_clones(clone_cells, rows, tally, boundary):
    """Append the number of cells of every living clone."""
    n = tally[CLONE_ROWS]
    for clone in range(1, tally[NEXT_CLONE]):
        if clone_cells[clone] > 0:
            rows[n, 0] = boundary
            rows[n, 1] = clone
            rows[n, 2] = clone_cells[clone]
            n += 1
    tally[CLONE_ROWS] = n


@jit
def room_for_row(record, tally, rules, clones):
    """Whether a row, and as many living clones as the table has room for, still fit."""
    if tally[ROWS] + 1 > record.rows.shape[0]:
        return False
    return rules.clone_rows == 0 or tally[CLONE_ROWS] + clones <= record.clone_rows.shape[0]
