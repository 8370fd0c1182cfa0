"""Seconds to score enterprises by each scheme, with every item written out: `python -m benchmarks.score_bench`."""

import argparse
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks import report
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import load_schemes, scheme
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.score import score

WORDS = """Every indicator of every enterprise scored with its base, points and reason; ranks and tiers within the
city. The clock runs on `score` alone; the tables are in memory."""
ON = date(2025, 6, 1)


def made(firms: int, year: int, seed: int = 7) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Enterprises with 5 % gaps, one parcel each, and a rented floor for every fifth."""
    generator = np.random.default_rng(seed)

    def figure(mean: float) -> pa.Array:
        return pa.array(generator.lognormal(mean, 1, firms), mask=generator.random(firms) < 0.05)

    ids = [f"E{k:07d}" for k in range(firms)]
    names = {
        "revenue_wan": 8,
        "tax_wan": 5,
        "value_added_wan": 6,
        "rd_wan": 3,
        "energy_tce": 5,
        "electricity_kwh": 12,
        "emission_eq": 1,
        "employees": 4,
    }
    enterprises = pa.table(
        {
            "enterprise_id": ids,
            "year": np.full(firms, year),
            "division": generator.choice(["430112", "430121", "430181"], firms),
            "industry": generator.choice(["C3011", "C2669", "C3912", "D4411"], firms),
            "status": ["operating"] * firms,
            "opened_on": [date(2010, 1, 1)] * firms,
            **{name: figure(mean) for name, mean in names.items()},
        }
    )
    rented = firms // 5
    occupancies = pa.table(
        {
            "parcel_id": [f"P{k}" for k in range(firms)] + [f"P{k + 1}" for k in range(rented)],
            "enterprise_id": ids + ids[:rented],
            "kind": ["own"] * firms + ["lease_in"] * rented,
            "area_m2": generator.lognormal(9, 1, firms + rented),
        }
    )
    area = generator.lognormal(9.5, 1, firms)
    parcels = pa.table(
        {
            "parcel_id": [f"P{k}" for k in range(firms)],
            "area_m2": area,
            "floor_area_m2": area * generator.uniform(0.3, 3, firms),
        }
    )
    return enterprises, occupancies, parcels


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    book = Rulebook.load()
    tables = made(options.firms, 2024)
    rows = []
    for name in load_schemes(book, Scheme):
        rule = scheme(book, Scheme, name, ON)
        seconds = []
        for _ in range(options.runs):
            begun = time.perf_counter()
            result = score(*tables, rule, on=ON)
            seconds.append(time.perf_counter() - begun)
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        rows.append([f"`{name}`", *(f"{s:.2f}" for s in figures), f"{result.items.num_rows:,}"])
    heads = ["scheme", "median s", "least s", "most s", "items"]
    title = f"Scoring {options.firms:,} enterprises, {options.runs} run(s)"
    report.write_page(options.folder, "score", title, WORDS, report.table(heads, rows))


if __name__ == "__main__":
    main()
