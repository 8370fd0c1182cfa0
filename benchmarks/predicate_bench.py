"""The clauses of the law judged over a province: `python -m benchmarks.predicate_bench [--parcels N] [--predicates N]`.

Facts are made as an assessment makes them; only the judging of predicates is timed.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from benchmarks import report
from benchmarks.province import make_workspace
from panhuo.diagnose.findings import rule_verdicts
from panhuo.match.options import clause_truths, clauses
from panhuo.rulebook import Rulebook
from panhuo.rulebook.evaluate import render
from panhuo.rulebook.facts import Law, connect, fact_rows
from panhuo.rulebook.patterns import Bytes, truths
from panhuo.workspace.assess import read, without_outlines
from panhuo.workspace.counties import Counties, pieces
from panhuo.workspace.space import land, land_law

WORDS = """{law} different predicates are those of the law itself, as it stands on {on}: every rule, and every
requirement, bar and favour of a tool; {more} more are the same clauses with the numbers in them one or more greater.
They are judged over {rows:,} parcels of the made-up province with {facts} facts each, all in memory. Ours is the
function the product judges tools by, `clause_truths`, a piece of about {piece:,} parcels at a time, {threads} pieces
side by side, as an assessment does; truths come out as bytes, three-valued. The peers are DuckDB alone on the same
facts: all predicates as columns of one query, and each as a query of its own, {threads} threads, truths left as
Arrow columns. Median of {runs} runs; every truth is compared with the first peer's."""
ON = date(2026, 11, 23)
THREADS = 2
T = TypeVar("T")


def predicates_of(law: Law) -> list[str]:
    """The different predicates of the law in force about a parcel: rules, then clauses of tools (DuckDB text)."""
    rules = [text for text in rule_verdicts(law, "parcel").values() if text not in ("NULL", "FALSE")]
    tools = [tool for tool in law.book.tools.values() if law.book.in_force(tool, law.as_of)]
    asked = [f"({render(law, c.item.when)})" for tool in tools for c in clauses(tool)]
    return list(dict.fromkeys([*rules, *asked]))


def filled_up(predicates: list[str], wanted: int) -> list[str]:
    """Predicates with others behind them that differ in their numbers, `wanted` in all."""
    found = dict.fromkeys(predicates)
    more = 0
    while len(found) < wanted:
        more += 1
        found |= dict.fromkeys(_greater(text, more) for text in predicates)
    return list(found)[:wanted]


def _greater(text: str, more: int) -> str:
    def moved(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit() and node.name != "0":
            return exp.Literal.number(int(node.name) + more)
        return node

    return sqlglot.parse_one(text, dialect="duckdb").transform(moved).sql(dialect="duckdb")


def facts_of(parcels: int, law: Law) -> list[pa.Table]:
    """The facts of a made-up province, in the pieces an assessment judges."""
    with tempfile.TemporaryDirectory(prefix="bench-predicates-") as name:
        workspace = make_workspace(Path(name) / "province", parcels)
        tables = read(workspace)
        tables["spatial"] = land(workspace, tables, land_law(law.book, law.as_of)).facts
    counties = Counties(without_outlines(tables))
    found = []
    for piece in pieces(counties.list):
        with connect(THREADS) as con:
            found.append(fact_rows(con, counties.inputs(piece), law, "parcel", rule_verdicts(law, "parcel")))
    return found


def ours(pieces_: Iterable[pa.Table], predicates: list[str]) -> list[Mapping[str, Bytes]]:
    """Truths of all predicates, piece by piece, by the product's function."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda facts: clause_truths(facts, predicates), pieces_))


def one_query(con: duckdb.DuckDBPyConnection, predicates: list[str]) -> pa.Table:
    """Truths by DuckDB alone, all at once; with the parcels' ids, since its threads keep no order."""
    columns = ", ".join(f"CAST({text} AS BOOLEAN) AS c{n}" for n, text in enumerate(predicates))
    return con.sql(f"SELECT parcel_id, {columns} FROM facts").to_arrow_table()


def a_query_each(con: duckdb.DuckDBPyConnection, predicates: list[str]) -> None:
    """Truths by DuckDB alone, one after another; each is let go of, or the ids would be held as many times."""
    for text in predicates:
        one_query(con, [text])


def timed(runs: int, work: Callable[[], T]) -> tuple[list[float], T]:
    """Seconds of each run, and what the last gave."""
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - begun)
    return seconds, found


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--predicates", type=int, default=250)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    law = Law(Rulebook.load(), ON)
    own = predicates_of(law)[: options.predicates]
    asked = filled_up(own, options.predicates)
    facts = facts_of(options.parcels, law)
    rows = sum(piece.num_rows for piece in facts)
    with connect(THREADS) as con:
        con.register("facts", pa.concat_tables(facts))
        figures = {}
        figures["panhuo, `clause_truths`"], mine = timed(options.runs, lambda: ours(facts, asked))
        figures["DuckDB, one query"], theirs = timed(options.runs, lambda: one_query(con, asked))
        figures["DuckDB, a query each"], _ = timed(options.runs, lambda: a_query_each(con, asked))
    ids = pa.chunked_array([chunk for piece in facts for chunk in piece["parcel_id"].chunks])
    theirs = theirs.take(pc.index_in(ids, theirs["parcel_id"].combine_chunks()))
    for number, text in enumerate(asked):
        if not np.array_equal(np.concatenate([piece[text] for piece in mine]), truths(theirs[f"c{number}"])):
            raise SystemExit(f"the truths differ: {text}")
    first = statistics.median(next(iter(figures.values())))
    table = []
    for name, seconds in figures.items():
        middle = statistics.median(seconds)
        table.append(
            [name, f"{middle:.2f}", f"{min(seconds):.2f}", f"{max(seconds):.2f}", f"{middle / first:.2f}"]
        )
    words = WORDS.format(
        law=len(own), on=ON, more=len(asked) - len(own), rows=rows, facts=facts[0].num_columns,
        piece=max(piece.num_rows for piece in facts), threads=THREADS, runs=options.runs,
    )  # fmt: skip
    heads = ["", "median s", "least s", "most s", "of ours"]
    lines = [*report.table(heads, table), "", f"Differences: none in {rows * len(asked):,} truths."]
    title = f"{len(asked)} predicates over {rows:,} parcels"
    report.write_page(options.folder, "predicates", title, words, lines)


if __name__ == "__main__":
    main()
