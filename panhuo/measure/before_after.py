"""Before and after: what a disposed parcel came to, beside what its appraisal had promised."""

import pyarrow as pa

from panhuo.rulebook.facts import connect

COMPARED = """
SELECT o.parcel_id, o.tool_id, o.measure, before, after, after - before AS change,
  CASE WHEN before > 0 THEN after / before - 1 END AS change_ratio, expected,
  CASE WHEN expected <> 0 THEN after / expected END AS of_expected
FROM outcomes o LEFT JOIN expected e USING (parcel_id, tool_id, measure) ORDER BY ALL
"""


def before_after(outcomes: pa.Table, expected: pa.Table) -> pa.Table:
    """Each measured outcome beside its expectation.

    outcomes: (parcel_id, tool_id, measure, before, after) in the measure's own unit; expected: (parcel_id,
    tool_id, measure, expected) from the appraisal. Adds change, change_ratio (NULL when there was nothing
    before) and of_expected (NULL when nothing was expected).
    """
    con = connect()
    con.register("outcomes", outcomes)
    con.register("expected", expected)
    return con.execute(COMPARED).to_arrow_table()


def expected_of(appraisals: pa.Table) -> pa.Table:
    """The expectations an `appraisals` table holds: cash_wan:<party>, npv_wan:<party> and months of each way."""
    con = connect()
    con.register("appraisals", appraisals)
    return con.execute(
        "SELECT parcel_id, tool_id, 'cash_wan:' || party AS measure, cash_wan AS expected FROM appraisals"
        " UNION ALL SELECT parcel_id, tool_id, 'npv_wan:' || party, npv_wan FROM appraisals"
        " UNION ALL SELECT parcel_id, tool_id, 'months', max(months) FROM appraisals GROUP BY ALL ORDER BY ALL"
    ).to_arrow_table()
