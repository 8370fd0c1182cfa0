"""What came of it: findings before and after, and the figures of a parcel beside what its appraisal had promised."""

from collections.abc import Mapping

import pyarrow as pa

from panhuo.rulebook.facts import connect

COMPARED = """
SELECT o.parcel_id, o.tool_id, o.measure, before, after, after - before AS change,
  CASE WHEN before > 0 THEN after / before - 1 END AS change_ratio, expected,
  CASE WHEN expected <> 0 THEN after / expected END AS of_expected
FROM outcomes o LEFT JOIN expected e USING (parcel_id, tool_id, measure) ORDER BY ALL
"""

EXPECTED = """
SELECT parcel_id, tool_id, party || '_cash_wan' AS measure, cash_wan AS expected FROM appraisals
UNION ALL SELECT parcel_id, tool_id, 'months', max(months) FROM appraisals GROUP BY ALL ORDER BY ALL
"""

FATES = """
SELECT coalesce(b.parcel_id, a.parcel_id) AS parcel_id, coalesce(b.finding_id, a.finding_id) AS finding_id,
  CASE WHEN b.parcel_id IS NULL THEN 'new' WHEN u.parcel_id IS NULL THEN 'gone' WHEN a.status = 'yes' THEN 'kept'
       WHEN a.status = 'unknown' THEN 'undecided' ELSE 'cleared' END AS fate
FROM (SELECT parcel_id, finding_id FROM before WHERE status = 'yes') b
  FULL JOIN after a USING (parcel_id, finding_id) LEFT JOIN (SELECT parcel_id FROM units) u USING (parcel_id)
WHERE b.parcel_id IS NOT NULL OR a.status = 'yes' ORDER BY ALL
"""


def fates(before: pa.Table, after: pa.Table, units: pa.Table) -> pa.Table:
    """(parcel_id, finding_id, fate) of every finding that held before, or holds now.

    before, after: (parcel_id, finding_id, status) of two assessments; units: (parcel_id) of those assessed the second
    time. fate: cleared (holds no more), kept, undecided (nobody knows now), gone (the unit is not there any more), new.
    """
    con = connect()
    for name, table in (("before", before), ("after", after), ("units", units)):
        con.register(name, table)
    return con.execute(FATES).to_arrow_table()


def changes(before: pa.Table, after: pa.Table, facts: Mapping[str, str]) -> pa.Table:
    """(parcel_id, measure, before, after) of every measure that is known both times and has changed.

    before, after: `parcel_id` and facts of two assessments; facts: measure → the fact that holds it.
    """
    con = connect()
    con.register("before", before)
    con.register("after", after)
    parts = [
        f"SELECT parcel_id, '{measure}' AS measure, "
        f"CAST(b.{fact} AS DOUBLE) AS before, CAST(a.{fact} AS DOUBLE) AS after"
        f" FROM before b JOIN after a USING (parcel_id) WHERE b.{fact} <> a.{fact}"
        for measure, fact in facts.items()
    ]
    return con.execute(" UNION ALL ".join(parts) + " ORDER BY ALL").to_arrow_table()


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
    """The expectations an `appraisals` table holds: <party>_cash_wan and months of each way."""
    con = connect()
    con.register("appraisals", appraisals)
    return con.execute(EXPECTED).to_arrow_table()
