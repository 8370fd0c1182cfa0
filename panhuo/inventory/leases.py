"""Leases of plant: the vacant-plant register and the checks of each lease, each with its value, bar and source."""

from typing import Final

import duckdb
import pyarrow as pa

from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import literal, parse
from panhuo.rulebook.scheme_schema import LeaseScheme
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields

Tables = dict[str, pa.Table | None]

FIELDS: Final = {
    "occupancies": ("parcel_id", "enterprise_id", "kind", "area_m2", "from_on", "until_on", "rent"),
    "parcels": ("parcel_id", "name", "division", "area_m2", "floor_area_m2", "term_end"),
    "enterprises": ("enterprise_id", "year", "tax_wan"),
    "buildings": ("building_id", "parcel_id", "owner", "floor_area_m2", "vacant_m2"),
}

# A tenant's land: its floor ÷ the parcel's FAR where above 1 (several storeys), as in the scores' default.
RENT: Final = "rent * 10000 / nullif(area_m2, 0) / 12"
"""The rent of a lease [元/㎡/month], of its yearly rent [万元] and area [m²]."""
RECORDS: Final = """
WITH used AS (
  SELECT o.*, p.floor_area_m2, p.term_end,
    CASE WHEN kind = 'own' THEN o.area_m2
      ELSE o.area_m2 / greatest(coalesce(p.floor_area_m2 / p.area_m2, 1), 1) END AS land_m2
  FROM occupancies o LEFT JOIN parcels p USING (parcel_id)
), land AS (
  SELECT enterprise_id, CASE WHEN bool_and(land_m2 IS NOT NULL) THEN sum(land_m2) * 3 / 2000 END AS mu
  FROM used WHERE kind IN ('own', 'lease_in') GROUP BY 1
), tax AS (
  SELECT enterprise_id, arg_max(tax_wan, coalesce(year, 0)) AS tax_wan FROM enterprises GROUP BY 1
), sublet AS (
  SELECT parcel_id, enterprise_id, sum(area_m2) AS m2, count(*) AS leases FROM used WHERE kind = 'lease_out'
  GROUP BY ALL
)
SELECT t.parcel_id, t.enterprise_id, t.area_m2, t.from_on, t.until_on, t.floor_area_m2, t.term_end,
  date_diff('day', t.from_on, t.until_on) / 365.25 AS years,
  {rent} AS rent_yuan_m2_month, coalesce({median_rent}, median({rent}) OVER ()) AS median_rent,
  CASE WHEN s.leases IS NULL THEN 0 ELSE s.m2 END AS sublet_m2,
  CASE WHEN bool_and(t.area_m2 IS NOT NULL) OVER parcel OR sum(t.area_m2) OVER parcel > t.floor_area_m2
    THEN sum(t.area_m2) OVER parcel END AS parcel_let_m2,
  tax.tax_wan / nullif(land.mu, 0) AS tenant_tax_per_mu
FROM used t LEFT JOIN land USING (enterprise_id) LEFT JOIN tax USING (enterprise_id)
  LEFT JOIN sublet s ON s.parcel_id = t.parcel_id AND s.enterprise_id = t.enterprise_id
WHERE t.kind = 'lease_in' WINDOW parcel AS (PARTITION BY t.parcel_id)
"""


def check_leases(tables: Tables, scheme: LeaseScheme, *, median_rent: float | None = None) -> pa.Table:
    """Every check of every lease.

    tables: datasets by name (occupancies, parcels, enterprises); an absent one leaves its checks unknown.
    Gives (parcel_id, enterprise_id, from_on, check, status yes|no|unknown, value, bar, unit, missing, zh, en,
    source, article, mark): yes means the check is broken; missing: of one unknown the facts that it lacks (those of
    the scheme), comma-separated. Rents are 元/㎡/month, compared with `median_rent`, by default the median of those
    given: who asks for one firm gives the rows of its parcels and the median of all.
    """
    con = _opened(tables)
    median = "NULL" if median_rent is None else repr(float(median_rent))
    con.execute(f"CREATE TEMP TABLE leases AS {RECORDS.format(rent=RENT, median_rent=median)}")
    parts = " UNION ALL ".join(
        f'SELECT parcel_id, enterprise_id, from_on, {k} AS no, {literal(name)} AS "check",'
        f" CASE WHEN ({c.broken}) IS NULL THEN 'unknown' WHEN ({c.broken}) THEN 'yes' ELSE 'no' END AS status,"
        f" CAST(({c.value}) AS DOUBLE) AS value, CAST(({c.bar}) AS DOUBLE) AS bar, {literal(c.unit)} AS unit,"
        f" CASE WHEN ({c.broken}) IS NULL THEN {_lacking(c.broken)} END AS missing, {literal(c.label.zh)} AS zh,"
        f" {literal(c.label.en)} AS en, {literal(c.source)} AS source, {literal(c.article)} AS article,"
        f" {literal(c.mark)} AS mark FROM leases"
        for k, (name, c) in enumerate(scheme.checks.items())
    )
    return con.execute(
        f"SELECT * EXCLUDE (no) FROM ({parts}) ORDER BY parcel_id, enterprise_id, from_on, no"
    ).to_arrow_table()


def _lacking(sql: str) -> str:
    """SQL for the names in `sql` that are NULL, comma-separated."""
    names = dict.fromkeys(parse(sql).names)
    told = ", ".join(f"CASE WHEN {name} IS NULL THEN {literal(name)} END" for name in names)
    return f"concat_ws(',', {told})"


def vacant_plants(tables: Tables) -> pa.Table:
    """The register of vacant plant, the emptiest first: (building_id, parcel_id, name and division of the parcel,
    owner, floor_area_m2, vacant_m2, vacant_share)."""
    return (
        _opened(tables)
        .execute(
            "SELECT building_id, parcel_id, p.name, p.division, owner, b.floor_area_m2, vacant_m2,"
            " vacant_m2 / b.floor_area_m2 AS vacant_share FROM buildings b LEFT JOIN parcels p USING (parcel_id)"
            " WHERE vacant_m2 > 0 ORDER BY vacant_m2 DESC, building_id"
        )
        .to_arrow_table()
    )


def unmatched_leases(tables: Tables) -> pa.Table:
    """Parcels where what tenants say they rent and what is said to be let differ: (parcel_id, rented_m2, let_m2).

    A side with a row of unknown area is NULL, and whether it differs is not known.
    """
    side = (
        "CASE WHEN coalesce(bool_and(area_m2 IS NOT NULL) FILTER (kind = '{0}'), TRUE)"
        " THEN coalesce(sum(area_m2) FILTER (kind = '{0}'), 0) END"
    )
    return (
        _opened(tables)
        .execute(
            f"SELECT parcel_id, {side.format('lease_in')} AS rented_m2, {side.format('lease_out')} AS let_m2"
            " FROM occupancies WHERE kind <> 'own' GROUP BY 1 HAVING coalesce(abs(rented_m2 - let_m2) > 1, TRUE)"
            " ORDER BY 1"
        )
        .to_arrow_table()
    )


def _opened(tables: Tables) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with each dataset's fields, those absent as typed NULLs."""
    con = connect()
    for name, fields in FIELDS.items():
        table = tables.get(name)
        kinds = dataset_fields(name)
        given = [] if table is None else table.column_names
        con.register("given", pa.table({"_": pa.array([], pa.int8())}) if table is None else table)
        columns = ", ".join(
            f"CAST({f if f in given else 'NULL'} AS {SQL_TYPES[kinds[f]]}) AS {f}" for f in fields
        )
        con.execute(f"CREATE TEMP TABLE {name} AS SELECT {columns} FROM given")
    return con
