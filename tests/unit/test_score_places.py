"""Which scheme a place gets, the four lists of Cixi, and the exit lines of Hengyang."""

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import load_schemes, pick_scheme, scheme
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.score import score

ON = date(2024, 6, 1)
BOOK = Rulebook.load()
MU = 2000 / 3


def group(revenue: float, *uses: dict[str, Any]) -> str | None:
    """The list of Cixi a firm falls in, by its revenue [万元] and land rows."""
    firm = pa.table({"enterprise_id": ["e"], "year": [2023], "revenue_wan": [revenue], "tax_wan": [1.0]})
    rows = pa.Table.from_pylist([{"parcel_id": "p", "enterprise_id": "e", **use} for use in uses])
    rule = scheme(BOOK, Scheme, "cixi", ON)
    found: str | None = score(firm, rows, None, rule, on=ON).scores["group_id"][0].as_py()
    return found


@pytest.mark.parametrize(
    ("revenue", "uses", "expected"),
    [
        (2000.0, [{"kind": "own", "area_m2": MU}], "above_scale"),
        (2000.0, [{"kind": "lease_in", "area_m2": MU}], "above_scale"),
        (1999.99, [{"kind": "lease_in", "area_m2": MU}], "lessee"),
        (1999.99, [{"kind": "own", "area_m2": 3.001 * MU}], "below_scale_large"),
        (1999.99, [{"kind": "own", "area_m2": 2.999 * MU}], "below_scale_small"),
        (
            1999.99,
            [{"kind": "own", "area_m2": MU}, {"kind": "lease_in", "area_m2": 3 * MU}],
            "below_scale_large",
        ),
    ],
)
def test_the_four_lists_of_cixi(revenue: float, uses: list[dict[str, Any]], expected: str) -> None:
    assert group(revenue, *uses) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("330282", "cixi"),
        ("330206", "zhejiang_2018_5"),
        ("331003", "huangyan_2022"),
        ("370102", "shandong_2019_235"),
        ("430407", "hunan_default"),
    ],
)
def test_the_narrowest_scheme_governs(place: str, expected: str) -> None:
    assert pick_scheme(BOOK, place, ON).id == expected


@pytest.mark.parametrize("name", ["cixi", "zhejiang_2018_5", "shandong_2019_235"])
def test_weights_nobody_published_are_marked_unverified(name: str) -> None:
    rule = scheme(BOOK, Scheme, name, ON)
    assert rule.mark == "M" and {"weights", "indicators"} & set(rule.assumed)


@pytest.mark.parametrize(("place", "line"), [("430407", 4), ("430421", 2), ("430481", 2)])
def test_exit_lines_of_hengyang(place: str, line: float) -> None:
    value = BOOK.parameter("low_use.tax_wan_per_mu", on=ON, place=place)
    assert (value.value, value.source) == (line, "hengyang_2022_4")


@pytest.mark.parametrize("name", sorted(load_schemes(BOOK, Scheme)))
def test_ten_thousand_firms_fall_in_the_shares_of_each_scheme_exactly(name: str) -> None:
    rule = scheme(BOOK, Scheme, name, ON)
    n, draw = 10_000, np.random.default_rng(7)
    ids = [f"E{k:05d}" for k in range(n)]
    figures = ("tax_wan", "value_added_wan", "energy_tce", "emission_eq", "employees", "rd_wan")
    firms = pa.table(
        {
            "enterprise_id": ids,
            "year": np.full(n, 2023),
            "division": ["320804"] * n,
            "industry": ["3011"] * n,
            "status": ["operating"] * n,
            "opened_on": [date(2010, 1, 1)] * n,
            "revenue_wan": draw.uniform(2000, 9000, n),
            **{field: draw.uniform(1, 100, n) for field in figures},
        }
    )
    land = pa.table(
        {"parcel_id": ids, "enterprise_id": ids, "kind": ["own"] * n, "area_m2": np.full(n, 5 * MU)}
    )
    tiers = score(firms, land, None, rule, on=ON).scores["tier"].to_pylist()
    ends = [0] + [round(n * (tier.up_to or 0)) for tier in rule.tiers.values()]
    sizes = [after - before for before, after in pairwise(ends)]
    assert [tiers.count(tier) for tier in rule.tiers] == sizes
