"""How intensively a development zone uses its land: single indicators, their degrees and the zone's type.

No total is formed: the ideals belong to each evaluation, and the weights within its goals are not published.
"""

import pyarrow as pa

from panhuo.rulebook.judged import held, missing, opened
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme_schema import ZoneScheme


def zone_indicators(zones: pa.Table, scheme: ZoneScheme, ideals: pa.Table | None = None) -> pa.Table:
    """Every indicator of every zone: (zone_id, indicator, value, unit, ideal, degree, missing).

    zones: rows with zone_id and the areas [m²] and money [万元] the scheme names; ideals: (indicator, ideal) of
    this evaluation. `value` is NULL where a figure is missing or its divisor zero; `degree` is value ÷ ideal, or
    ideal ÷ value where less is better, at most 1, and NULL without an ideal; `missing` names the figures not given.
    """
    given = pa.table({"indicator": pa.array([], pa.string()), "ideal": pa.array([], pa.float64())})
    figures = held(zones, [one.formula for one in scheme.indicators.values()])
    con = opened(zones=figures, ideals=given if ideals is None else ideals)
    parts = " UNION ALL ".join(
        f"SELECT zone_id, {k} AS no, {literal(name)} AS indicator, CAST(({one.formula}) AS DOUBLE) AS value,"
        f" {literal(one.unit)} AS unit, {one.better == 'less'} AS less, {missing([one.formula])} AS missing FROM zones"
        for k, (name, one) in enumerate(scheme.indicators.items())
    )
    return con.execute(
        "SELECT zone_id, indicator, value, unit, ideal,"
        " CASE WHEN value IS NULL OR ideal IS NULL THEN NULL"
        " WHEN less THEN CASE WHEN value <= ideal THEN 1.0 ELSE ideal / value END"
        " ELSE least(1.0, value / nullif(ideal, 0)) END AS degree, missing"
        f" FROM ({parts}) LEFT JOIN ideals USING (indicator) ORDER BY zone_id, no"
    ).to_arrow_table()


def zone_types(zones: pa.Table, scheme: ZoneScheme) -> pa.Table:
    """(zone_id, type): the first type that holds, NULL where the shares are unknown."""
    con = opened(zones=held(zones, [one.when for one in scheme.types.values()]))
    cases = " ".join(f"WHEN {one.when} THEN {literal(name)}" for name, one in scheme.types.items())
    return con.execute(
        f"SELECT zone_id, CASE {cases} END AS type FROM zones ORDER BY zone_id"
    ).to_arrow_table()
