"""Whatever the figures: scores reopen into their items, ranks follow scores, order of rows does not matter."""

from datetime import date

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.score import score
from panhuo.score.points import ranks, tiers_by_share

RULE = scheme(Rulebook.load(), Scheme, "hunan_default", date(2024, 6, 1))
FIGURE = st.one_of(st.none(), st.floats(-100, 10_000))


@st.composite
def parks(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    n = draw(st.integers(1, 12))
    ids = [f"E{k}" for k in range(n)]
    names = ("tax_wan", "revenue_wan", "rd_wan", "energy_tce", "emission_eq")
    figures = {name: pa.array([draw(FIGURE) for _ in ids], pa.float64()) for name in names}
    areas = pa.array([draw(st.one_of(st.none(), st.floats(0, 1e6))) for _ in ids], pa.float64())
    firms = pa.table(
        {"enterprise_id": ids, "year": [2023] * n, "opened_on": [date(2010, 1, 1)] * n, **figures}
    )
    return firms, pa.table({"parcel_id": ids, "enterprise_id": ids, "kind": ["own"] * n, "area_m2": areas})


@settings(max_examples=40, deadline=None)
@given(parks())
def test_scores_reopen_and_ranks_follow(park: tuple[pa.Table, pa.Table]) -> None:
    firms, uses = park
    result = score(firms, uses, None, RULE, on=date(2024, 6, 1))
    rows = result.scores.to_pylist()
    for row in rows:
        mine = [i["points"] for i in result.items.to_pylist() if i["enterprise_id"] == row["enterprise_id"]]
        known = [p for p in mine if p is not None]
        assert row["score"] is None or abs(row["score"] - sum(known)) < 1e-9
        assert (row["rank"] is None) == (row["score"] is None)
        assert row["score"] is not None or row["excluded_because"]
    for a in rows:
        for b in rows:
            if a["rank"] and b["rank"] and a["group_id"] == b["group_id"] and a["score"] > b["score"] + 1e-9:
                assert a["rank"] < b["rank"]


@settings(max_examples=20, deadline=None)
@given(parks(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(park: tuple[pa.Table, pa.Table], shuffle: object) -> None:
    firms, uses = park
    order = list(range(firms.num_rows))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    again = score(firms.take(pa.array(order)), uses.take(pa.array(order)), None, RULE, on=date(2024, 6, 1))
    first = score(firms, uses, None, RULE, on=date(2024, 6, 1))
    assert again.scores["rank"].equals(first.scores["rank"]) and again.scores["tier"].equals(
        first.scores["tier"]
    )


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.floats(0.05, 0.9))
def test_a_share_never_holds_more_places_than_it_says(values: list[float], share: float) -> None:
    scores = np.array(values)
    cells = np.zeros(len(scores), dtype=np.int64)
    last = ranks(scores, cells, last=True)
    tiers = tiers_by_share(last, np.full(len(scores), len(scores)), [share, 1.0])
    assert (tiers == 0).sum() <= share * len(scores) + 1e-6
