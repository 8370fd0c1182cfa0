"""达产复核: the figures contracts promise, held to those measured since, and what follows.

A figure per 亩 is measured on the contract's parcel. What a firm earns in a year is known to come from that parcel only
where it alone was on it all year and used no other land; anything else is unknown and says why.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import duckdb
import pyarrow as pa

from panhuo.core.dates import WorkCalendar, next_working_day
from panhuo.rulebook.facts import connect
from panhuo.rulebook.judged import held, opened
from panhuo.rulebook.predicate import literal, parse
from panhuo.rulebook.scheme_schema import AdmissionScheme
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields
from panhuo.score.admission import TOLERANCE, ratio

LEDGER: Final = {
    "investment_total_wan": "c.invested_wan", "floor_area_m2": "p.floor_area_m2", "base_area_m2": "p.base_area_m2",
}  # fmt: skip
"""Figures of schemes that the ledgers state, and where: what was invested, not what the project was to cost."""

READ: Final = {
    "contracts": ("contract_no", "parcel_id", "invested_wan", "observed_on"),
    "parcels": ("parcel_id", "holder_uscc", "area_m2", "floor_area_m2", "base_area_m2"),
    "occupancies": ("parcel_id", "enterprise_id", "kind", "from_on", "until_on"),
}
"""The fields that `actual_figures` reads, beside the enterprises' own."""

# A holder is on its parcel the whole year unless `occupancies` says since when.
STAYS: Final = """
CREATE TEMP TABLE stays AS
WITH uses AS (
  SELECT parcel_id, enterprise_id, kind, from_on, until_on FROM occupancies
  UNION ALL
  SELECT p.parcel_id, p.holder_uscc, 'own', NULL, NULL FROM parcels p
  ANTI JOIN occupancies o ON o.parcel_id = p.parcel_id AND o.enterprise_id = p.holder_uscc
  WHERE p.holder_uscc IS NOT NULL
), near AS (
  SELECT * FROM uses
  WHERE enterprise_id IN (SELECT enterprise_id FROM uses WHERE parcel_id IN (SELECT parcel_id FROM contracts))
)
SELECT n.*, y.year,
  coalesce(from_on <= make_date(year, 1, 1), TRUE) AND coalesce(until_on >= make_date(year, 12, 31), TRUE) AS whole
FROM near n, years y
WHERE coalesce(from_on <= make_date(year, 12, 31), TRUE) AND coalesce(until_on >= make_date(year, 1, 1), TRUE)
"""
GROUNDS: Final = """
CREATE TEMP TABLE yearly AS
WITH grounds AS (
  SELECT year, parcel_id, min(enterprise_id) AS enterprise_id, count(DISTINCT enterprise_id) AS firms,
    bool_or(coalesce(kind = 'lease_out', FALSE)) AS lets, bool_or(whole) AS whole
  FROM stays GROUP BY ALL
), used AS (SELECT year, enterprise_id, count(DISTINCT parcel_id) AS parcels FROM stays GROUP BY ALL)
SELECT c.contract_no, y.year, y.counts_from, p.area_m2 * 3 / 2000 AS land_mu, {stated}, {figures},
  CASE WHEN coalesce(p.area_m2, 0) = 0 THEN 'no_area' WHEN firms IS NULL THEN 'no_firm'
    WHEN firms > 1 OR lets THEN 'several_firms' WHEN NOT whole THEN 'part_of_year'
    WHEN parcels > 1 THEN 'other_land' END AS because
FROM contracts c CROSS JOIN years y LEFT JOIN parcels p USING (parcel_id)
  LEFT JOIN grounds g ON g.parcel_id = c.parcel_id AND g.year = y.year
  LEFT JOIN used u ON u.enterprise_id = g.enterprise_id AND u.year = y.year
  LEFT JOIN enterprises e ON e.enterprise_id = g.enterprise_id AND e.year = y.year
"""
STATED: Final = """
CREATE TEMP TABLE stated AS
SELECT c.contract_no, NULL::BIGINT AS year, coalesce(observed_on, $on) AS counts_from, p.area_m2 * 3 / 2000 AS land_mu,
  {stated}, CASE WHEN coalesce(p.area_m2, 0) = 0 THEN 'no_area' END AS because
FROM contracts c LEFT JOIN parcels p USING (parcel_id) WHERE coalesce(observed_on, $on) <= $on
"""


def contract_promises(contracts: pa.Table, scheme: AdmissionScheme, found: pa.Table) -> pa.Table:
    """The figures the contracts themselves promise, each due with its milestone.

    contracts: rows with contract_no and, for a criterion of the scheme, promised_<criterion> in its unit; a
    contract silent on a criterion promises nothing. found: of panhuo.measure.lifecycle.milestones. Gives
    (contract_no, measure, promised, side, unit, due_on); `due_on` is NULL where the milestone has no date.
    """
    stated = {
        name: one for name, one in scheme.criteria.items() if f"promised_{name}" in contracts.column_names
    }
    parts = [
        f"SELECT contract_no, {literal(name)} AS measure, promised_{name} AS promised, {literal(one.side)} AS side,"
        f" {literal(one.unit)} AS unit, {literal(one.due or '')} AS due FROM contracts"
        for name, one in stated.items()
    ]
    none = (
        "SELECT contract_no, '' AS measure, 0.0 AS promised, '' AS side, '' AS unit, '' AS due FROM contracts"
        " WHERE FALSE"
    )
    return (
        opened(contracts=contracts, found=found)
        .execute(
            "SELECT p.* EXCLUDE (due), f.due_on"
            f" FROM ({' UNION ALL '.join([none, *parts])}) p LEFT JOIN found f"
            " ON f.contract_no = p.contract_no AND f.milestone = p.due"
            " WHERE promised IS NOT NULL ORDER BY ALL"
        )
        .to_arrow_table()
    )


def actual_figures(
    tables: Mapping[str, pa.Table | None], scheme: AdmissionScheme, calendar: WorkCalendar, on: date
) -> pa.Table:
    """What was measured by a day of each criterion of the scheme on the land of contracts.

    tables: contracts, parcels, occupancies, enterprises (the fields of READ; of enterprises those the scheme names),
    None where absent. Gives (contract_no, measure, actual, on, year, because): a row per closed year for what the
    enterprises state by year, one as of the contract's `observed_on` (else the day asked) for what the ledgers state.
    `actual` is NULL where it cannot be told, and `because` says why: no_area, no_firm, several_firms, part_of_year,
    other_land, no_figures. A year counts from its first working day, as a due day moves to one: a promise is judged by
    the first whole year after it fell due.
    """
    asked = {
        name: set(parse(one.numerator).names) | set(parse(one.denominator).names)
        for name, one in scheme.criteria.items()
    }
    named = sorted(set().union(*asked.values()) & dataset_fields("enterprises").keys())
    con = connect(1)
    for table, fields in {**READ, "enterprises": ("enterprise_id", "year", *named)}.items():
        _register(con, table, tables.get(table), fields)
    closed = con.execute(
        "SELECT DISTINCT year FROM enterprises WHERE make_date(year, 12, 31) <= $on", {"on": on}
    )
    years = [int(year) for (year,) in closed.fetchall()]
    begins = [next_working_day(date(year, 1, 1), calendar).day for year in years]
    con.register(
        "years", pa.table({"year": pa.array(years, pa.int64()), "counts_from": pa.array(begins, pa.date32())})
    )
    con.execute(STAYS)
    stated = ", ".join(f"{field} AS {name}" for name, field in LEDGER.items())
    figures = ", ".join(f"e.{name}" for name in named) or "NULL AS none"
    con.execute(GROUNDS.format(stated=stated, figures=figures))
    con.execute(STATED.format(stated=stated), {"on": on})
    parts = (
        f"SELECT contract_no, {literal(name)} AS measure, CASE WHEN because IS NULL THEN {ratio(one)} END AS actual,"
        f' counts_from AS "on", year, because FROM {"yearly" if asked[name] & set(named) else "stated"}'
        for name, one in scheme.criteria.items()
    )
    return con.execute(
        "SELECT * REPLACE (CASE WHEN actual IS NULL THEN coalesce(because, 'no_figures') END AS because)"
        f' FROM ({" UNION ALL ".join(parts)}) ORDER BY contract_no, measure, "on"'
    ).to_arrow_table()


def _register(
    con: duckdb.DuckDBPyConnection, name: str, table: pa.Table | None, fields: Sequence[str]
) -> None:
    """Fields of a dataset as table `name`, absent ones as typed NULLs."""
    kinds = dataset_fields(name)
    given = [] if table is None else table.column_names
    con.register("held", pa.table({"_": pa.array([], pa.int8())}) if table is None else table)
    columns = (f"CAST({f if f in given else 'NULL'} AS {SQL_TYPES[kinds[f]]}) AS {f}" for f in fields)
    con.execute(f"CREATE TEMP TABLE {name} AS SELECT {', '.join(columns)} FROM held")


def promised_figures(promises: pa.Table, actuals: pa.Table) -> pa.Table:
    """Promised figures against met ones: 达产复核.

    promises: of `contract_promises`; actuals: of `actual_figures`. The latest actual counts. Gives (contract_no,
    measure, promised, actual, side, unit, due_on, measured_on, year, state, short, because): kept, missed, not_due
    (short of it, and measured before its due date or never due) or unknown; `short` is the shortfall over the promise,
    `because` why it is unknown.
    """
    con = opened(promises=promises, actuals=actuals)
    reached = (
        f"CASE WHEN side = 'at_least' THEN actual >= promised * {1 - TOLERANCE!r}"
        f" ELSE actual <= promised * {1 + TOLERANCE!r} END"
    )
    return con.execute(
        'WITH last AS (SELECT contract_no, measure, arg_max(actual, "on") AS actual,'
        ' max("on") FILTER (actual IS NOT NULL) AS measured_on,'
        ' arg_max(year, "on") FILTER (actual IS NOT NULL) AS year,'
        ' arg_max(because, "on") AS because FROM actuals GROUP BY ALL),'
        f" compared AS (SELECT p.*, actual, measured_on, year, because, {reached} AS ok"
        " FROM promises p LEFT JOIN last USING (contract_no, measure))"
        " SELECT contract_no, measure, promised, actual, side, unit, due_on, measured_on, year,"
        " CASE WHEN ok IS NULL THEN 'unknown' WHEN ok THEN 'kept'"
        " WHEN due_on IS NULL OR measured_on < due_on THEN 'not_due'"
        " ELSE 'missed' END AS state,"
        " CASE WHEN ok = FALSE THEN abs(promised - actual) / nullif(promised, 0) END AS short,"
        " CASE WHEN ok IS NULL THEN coalesce(because, 'no_figures') END AS because"
        " FROM compared ORDER BY contract_no, measure"
    ).to_arrow_table()


def consequences(subjects: pa.Table, scheme: AdmissionScheme) -> pa.Table:
    """What the contract's scheme says follows: (contract_no, subject, consequence, kind, zh, en, amount, unit).

    subjects: (contract_no, subject, subject_kind milestone|figure, state, days, short, price_wan …).
    """
    expressions = [e for c in scheme.consequences.values() for e in (c.when, c.amount or "NULL")]
    text = dict.fromkeys(("subject", "subject_kind", "state"), pa.string())
    con = opened(subjects=held(subjects, expressions, types=text))
    parts = " UNION ALL ".join(
        f"SELECT contract_no, subject, {literal(name)} AS consequence, {literal(c.kind)} AS kind,"
        f" {literal(c.label.zh)} AS zh, {literal(c.label.en)} AS en, CAST(({c.amount or 'NULL'}) AS DOUBLE) AS amount,"
        f" {literal(c.unit)} AS unit FROM subjects WHERE ({c.when})"
        for name, c in scheme.consequences.items()
    )
    return con.execute(f"SELECT * FROM ({parts}) ORDER BY contract_no, subject, consequence").to_arrow_table()
