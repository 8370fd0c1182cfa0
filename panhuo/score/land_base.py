"""The land an enterprise is measured on: own + rented in − rented out, each for its share of the year.

Rules. Own land is `occupancies` of kind own (its area, else what the parcel leaves after the stated shares,
evenly among the rest); an enterprise without such rows owns the parcels whose holder is its USCC. Rented
area is floor: it counts as floor ÷ max(FAR of the parcel, far_floor). A row that does not say its kind is
own land when the firm holds the parcel, else the firm's land is unknown. A row counts for the days of the
year it covers. An enterprise with no row and no parcel has unknown land, not none.
"""

from typing import Final

import duckdb
import pyarrow as pa

from panhuo.core.problems import Problem
from panhuo.rulebook.facts import connect
from panhuo.rulebook.scheme_schema import LandRule

OCCUPANCIES: Final = pa.schema(
    {"parcel_id": pa.string(), "enterprise_id": pa.string(), "kind": pa.string(), "area_m2": pa.float64(),
     "from_on": pa.date32(), "until_on": pa.date32()}
)  # fmt: skip
PARCELS: Final = pa.schema(
    {
        "parcel_id": pa.string(),
        "holder_uscc": pa.string(),
        "area_m2": pa.float64(),
        "floor_area_m2": pa.float64(),
    }
)
OVERFULL: Final = 1.01
"""Own areas may exceed their parcel by this factor (survey rounding) before it is a problem."""

SHARES: Final = """
CREATE TEMP TABLE shares AS
WITH span AS (
  SELECT o.* REPLACE (coalesce(kind, CASE WHEN p.holder_uscc = o.enterprise_id THEN 'own' END) AS kind),
    kind = 'own' AS said_own, p.area_m2 AS parcel_m2, p.floor_area_m2 / p.area_m2 AS far,
    greatest(0, 1 + datediff('day',
      greatest(coalesce(from_on, make_date($year, 1, 1)), make_date($year, 1, 1)),
      least(coalesce(until_on, make_date($year, 12, 31)), make_date($year, 12, 31))))
      / (1 + datediff('day', make_date($year, 1, 1), make_date($year, 12, 31))) AS of_year
  FROM occupancies o LEFT JOIN parcels p USING (parcel_id)
), filled AS (
  SELECT *, CASE WHEN kind = 'own' AND area_m2 IS NULL THEN
      greatest(0, parcel_m2 - coalesce(sum(area_m2) FILTER (kind = 'own') OVER parcel, 0))
        / count(*) FILTER (kind = 'own' AND area_m2 IS NULL) OVER parcel
    ELSE area_m2 END AS held_m2
  FROM span WHERE of_year > 0 WINDOW parcel AS (PARTITION BY parcel_id)
)
SELECT enterprise_id, parcel_id, kind, said_own, held_m2, parcel_m2, of_year,
  CASE WHEN kind IS NULL THEN NULL
       WHEN kind = 'own' OR NOT $floor THEN held_m2 * of_year
       WHEN far IS NULL AND NOT $unknown_as_land THEN NULL
       ELSE held_m2 * of_year / greatest(coalesce(far, $far_floor), $far_floor) END AS land_m2,
  kind <> 'own' AND $floor AND far IS NULL AS far_unknown
FROM filled
"""

# A sum with an unknown part is unknown: sum() alone would drop it.
BASES: Final = """
WITH by_holder AS (
  SELECT holder_uscc AS enterprise_id, CASE WHEN count(area_m2) = count(*) THEN sum(area_m2) END AS own_m2
  FROM parcels WHERE holder_uscc IS NOT NULL GROUP BY 1
), by_use AS (
  SELECT enterprise_id,
    CASE WHEN bool_and(land_m2 IS NOT NULL) FILTER (kind = 'own')
      THEN sum(land_m2) FILTER (kind = 'own') END AS own_m2,
    count(*) FILTER (said_own) AS owns,
    sum(land_m2) FILTER (kind = 'lease_in') AS in_m2, sum(land_m2) FILTER (kind = 'lease_out') AS out_m2,
    bool_or(land_m2 IS NULL) FILTER (kind IS DISTINCT FROM 'own') AS lease_unknown, bool_or(far_unknown) AS far_unknown
  FROM shares GROUP BY 1
), every AS (
  SELECT coalesce(u.enterprise_id, h.enterprise_id) AS enterprise_id,
    CASE WHEN coalesce(owns, 0) > 0 THEN u.own_m2
      WHEN h.enterprise_id IS NOT NULL THEN h.own_m2 ELSE 0 END AS own_m2,
    CASE WHEN lease_unknown THEN NULL ELSE coalesce(in_m2, 0) END AS rented_in_m2,
    CASE WHEN lease_unknown THEN NULL ELSE coalesce(out_m2, 0) END AS rented_out_m2,
    coalesce(far_unknown, FALSE) AS far_unknown
  FROM by_use u FULL JOIN by_holder h USING (enterprise_id)
)
SELECT enterprise_id, own_m2, rented_in_m2, rented_out_m2, far_unknown,
  own_m2 + rented_in_m2 - rented_out_m2 AS land_m2
FROM every ORDER BY enterprise_id
"""


def land_bases(
    occupancies: pa.Table | None, parcels: pa.Table | None, year: int, rule: LandRule
) -> tuple[pa.Table, list[Problem]]:
    """(enterprise_id, own_m2, rented_in_m2, rented_out_m2, far_unknown, land_m2) of one calendar year, problems.

    Areas in m² weighted by the share of the year; NULL where a part is unknown. Enterprises without any
    land row are absent. rule: how rented floor turns into land (a bound scheme's `land`).
    """
    con = connect(1)  # several threads would add areas up in another order each time
    con.register("occupancies", registered(occupancies, OCCUPANCIES))
    con.register("parcels", registered(parcels, PARCELS))
    con.execute(
        SHARES,
        {
            "year": year,
            "floor": rule.rented_area == "floor",
            "far_floor": float(rule.far_floor),
            "unknown_as_land": rule.unknown_far == "as_land",
        },
    )
    return con.execute(BASES).to_arrow_table(), _problems(con)


def registered(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`, absent ones as typed NULLs."""
    held = pa.table({}) if table is None else table
    columns = [
        held[f.name].cast(f.type) if f.name in held.column_names else pa.nulls(held.num_rows, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _problems(con: duckdb.DuckDBPyConnection) -> list[Problem]:
    overfull = con.execute(
        "SELECT parcel_id, sum(land_m2) / any_value(parcel_m2) AS times FROM shares WHERE kind = 'own'"
        " GROUP BY 1 HAVING times > $limit ORDER BY 1",
        {"limit": OVERFULL},
    ).fetchall()
    unknown = con.execute(
        "SELECT DISTINCT enterprise_id, parcel_id FROM shares WHERE land_m2 IS NULL ORDER BY ALL"
    ).fetchall()
    return [
        Problem("occupancy_exceeds_parcel", field="area_m2", value=f"{parcel}: {times:.3f}", action="kept")
        for parcel, times in overfull
    ] + [
        Problem("occupancy_area_unknown", field="area_m2", value=f"{firm} @ {parcel}", action="land unknown")
        for firm, parcel in unknown
    ]
