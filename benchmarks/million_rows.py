"""A million summary rows in the layout of a study, and how long DuckDB takes for a question about them.

python benchmarks/million_rows.py [--rows 1000000] [--folder DIR]

The rows are those of the runs of a small sweep, repeated with other numbers, in parts of 1,000 runs, as a
study leaves them. The queries are timed on these parts and on one file of all of them, which DuckDB makes by one
`COPY`; each five times, with the files in the cache of the operating system. A folder that has the rows is used again.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import mpn_abm
from mpn_abm.files import parquet

STUDY: dict[str, Any] = {
    "name": "dose",
    "scenario": {
        "time": {"duration_years": 1, "record_every_weeks": 13},
        "marrow": {"shape": [16, 16]},
        "patient": {"disease": "PV"},
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "vaf": 0.3}},
        "treatments": {"interferon": {"dose_ug": 90, "start_day": 0}},
    },
    "sweep": {
        "method": "sobol",
        "samples": 64,
        "parameters": {
            "treatments.interferon.dose_ug": [0, 45, 90, 180],
            "patient.interferon": {"low": 0.2, "high": 3.0, "scale": "log"},
        },
    },
    "output": {"trajectory": "none"},
}
RUNS_OF_A_PART, REPEATS = 1000, 5
# the question of the tutorial, one about few runs, and one that reads a column more
QUERIES = {
    "mean by dose": """
        SELECT "treatments.interferon.dose_ug" AS dose_ug, count(*) AS runs, avg(vaf_driver_end) AS vaf,
               avg((vaf_below_1pct_day IS NOT NULL)::INT) AS below_1pct
        FROM '{}' GROUP BY ALL ORDER BY dose_ug""",
    "points with a deep answer": """
        SELECT patient, avg(vaf_driver_end) AS vaf FROM '{}'
        WHERE "patient.interferon" > 2.5 GROUP BY patient ORDER BY vaf LIMIT 10""",
    "quantiles by dose": """
        SELECT "treatments.interferon.dose_ug" AS dose_ug, quantile_cont(vaf_driver_end, [0.1, 0.5, 0.9]) AS vaf
        FROM '{}' GROUP BY ALL ORDER BY dose_ug""",
}


def few_rows(folder: Path) -> tuple[pa.Table, dict[str, object]]:
    """The summary of the small sweep, and its provenance."""
    study = mpn_abm.sweep(STUDY, out=folder)
    return pa.concat_tables(study.parts["summary"]), study.provenance


def many_rows(table: pa.Table, rows: int, first: int, chance: np.random.Generator) -> pa.Table:
    """Rows of the table drawn with names, seeds, points and values of their own."""
    drawn = table.take(pa.array(chance.integers(0, table.num_rows, rows)))
    numbers = np.arange(first, first + rows)
    ends = np.clip(drawn.column("vaf_driver_end").to_numpy() * chance.lognormal(0.0, 0.3, rows), 0.0, 0.5)
    own = {
        "run_id": pa.array([f"{number // 10:06d}-{number % 10:03d}" for number in numbers]),
        "patient": pa.array(numbers // 10),
        "replicate": pa.array(numbers % 10),
        "seed": pa.array(chance.integers(0, 2**53, rows)),
        "patient.interferon": pa.array(0.2 * 15.0 ** chance.random(rows)),
        "vaf_driver_end": pa.array(ends),
    }
    for name, values in own.items():
        place = drawn.schema.get_field_index(name)
        field = drawn.schema.field(name)
        drawn = drawn.set_column(place, field, values.cast(field.type))
    return drawn


def write(folder: Path, rows: int) -> None:
    """Write so many rows in parts."""
    table, provenance = few_rows(folder / "small")
    (folder / "summary").mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(1)
    for part, first in enumerate(range(0, rows, RUNS_OF_A_PART)):
        number = min(RUNS_OF_A_PART, rows - first)
        with (folder / "summary" / f"part-{part:05d}.parquet").open("wb") as file:
            parquet(many_rows(table, number, first, chance), provenance, number)(file)


def measure(place: str) -> None:
    """Time the queries on files."""
    files = [Path(name) for (name,) in duckdb.execute(f"SELECT file FROM glob('{place}')").fetchall()]
    groups = sum(pq.ParquetFile(file).num_row_groups for file in files)
    size = sum(file.stat().st_size for file in files) / 2**20
    print(f"{len(files):,} file(s) with {groups:,} row groups, {size:.0f} MiB")
    for name, query in QUERIES.items():
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            rows = duckdb.execute(query.format(place)).fetchall()
            seconds.append(time.perf_counter() - start)
        told = f"median {statistics.median(seconds):.3f} s, {min(seconds):.3f} to {max(seconds):.3f}"
        print(f"  {name:26} {told}, {len(rows)} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where they are kept; else they are removed at the end")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = said.folder or Path(temporary)
        start = time.perf_counter()
        if not (folder / "summary").is_dir():
            write(folder, said.rows)
            print(f"{said.rows:,} rows written in {time.perf_counter() - start:.1f} s")
        parts, together = f"{folder}/summary/*.parquet", f"{folder}/summary.parquet"
        measure(parts)
        start = time.perf_counter()
        duckdb.sql(f"COPY (SELECT * FROM '{parts}') TO '{together}' (COMPRESSION zstd)")
        print(f"put together in {time.perf_counter() - start:.1f} s")
        measure(together)


if __name__ == "__main__":
    main()
