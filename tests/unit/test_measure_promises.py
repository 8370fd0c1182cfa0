"""达产复核: what contracts promise against what was measured, on both sides of every bar; what follows."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from panhuo.inventory.spec import dataset_spec
from panhuo.measure.lifecycle import milestones
from panhuo.measure.promises import actual_figures, consequences, contract_promises, promised_figures
from panhuo.rulebook import Rulebook
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import AdmissionScheme, LifecycleScheme

BOOK = Rulebook.load()
CALENDAR = work_calendar(BOOK)
ON = date(2025, 6, 1)
BARS = scheme(BOOK, AdmissionScheme, "wangcheng_448", ON, "430112")
RULE = scheme(BOOK, LifecycleScheme, "lifecycle", ON)
OWN = {"parcel_id": "P", "enterprise_id": "E", "kind": "own"}
PARCEL = {"parcel_id": "P", "area_m2": 10_000.0}  # 15 亩


def table(name: str, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=dataset_spec(name).arrow_schema())


def figures(year: int = 2024, tax: float | None = 600.0, firm: str = "E") -> dict[str, Any]:
    return {"enterprise_id": firm, "year": year, "tax_wan": tax}


def review(
    uses: list[dict[str, Any]], firms: list[dict[str, Any]], *, on: date = ON, parcels: Any = (PARCEL,),
    measure: str = "tax_per_mu", **contract: Any,
) -> dict[str, Any]:  # fmt: skip
    """The state of one promise of a contract on P, 40 万 of tax a mu by the end of 2023 unless said otherwise."""
    stated = {"capacity_by": date(2023, 12, 31), f"promised_{measure}": 40.0}
    contracts = table("contracts", {"contract_no": "c", "parcel_id": "P", **stated, **contract})
    due = contract_promises(contracts, BARS, milestones(contracts, RULE, CALENDAR, on))
    tables = {"contracts": contracts, "parcels": table("parcels", *parcels),
              "occupancies": table("occupancies", *uses), "enterprises": table("enterprises", *firms)}  # fmt: skip
    return dict(promised_figures(due, actual_figures(tables, BARS, CALENDAR, on)).to_pylist()[0])


@pytest.mark.parametrize(("tax", "state"), [(600.0, "kept"), (599.9, "missed"), (None, "unknown")])
def test_a_year_is_held_to_its_bar(tax: float | None, state: str) -> None:
    got = review([OWN], [figures(tax=tax)])
    assert got["state"] == state
    if state == "missed":
        assert got["actual"] == pytest.approx(599.9 / 15)
        assert got["short"] == pytest.approx(0.1 / 600)
        assert (got["year"], got["because"]) == (2024, None)
    if state == "unknown":
        assert (got["actual"], got["because"]) == (None, "no_figures")


@pytest.mark.parametrize(
    ("due", "state"),
    [
        (date(2023, 12, 31), "missed"),  # a Sunday: due on the first working day of 2024, whose figures count
        (date(2024, 1, 2), "missed"),
        (date(2024, 1, 3), "not_due"),  # a part of 2024 lay before it
        (None, "not_due"),
    ],
)
def test_a_promise_is_judged_by_the_first_whole_year_after_it_fell_due(due: date | None, state: str) -> None:
    assert review([OWN], [figures(tax=1.0)], capacity_by=due)["state"] == state


def test_a_year_counts_when_it_has_closed_and_the_latest_counts() -> None:
    firms = [figures(2024, 600.0), figures(2025, 1.0)]
    assert review([OWN], firms, on=date(2025, 12, 30))["state"] == "kept"
    assert review([OWN], firms, on=date(2025, 12, 31))["state"] == "missed"


TENANT = {"parcel_id": "P", "enterprise_id": "T", "kind": "lease_in"}
ELSEWHERE = {"parcel_id": "Q", "enterprise_id": "E", "kind": "lease_in"}


@pytest.mark.parametrize(
    ("uses", "because"),
    [
        ([], "no_firm"),
        ([OWN, TENANT], "several_firms"),
        ([OWN, TENANT | {"until_on": date(2023, 12, 31)}], None),
        ([OWN, TENANT | {"until_on": date(2024, 1, 1)}], "several_firms"),
        ([OWN, OWN | {"kind": "lease_out"}], "several_firms"),
        ([OWN, ELSEWHERE], "other_land"),
        ([OWN, ELSEWHERE | {"from_on": date(2025, 1, 1)}], None),
        ([OWN | {"from_on": date(2024, 1, 1)}], None),
        ([OWN | {"from_on": date(2024, 1, 2)}], "part_of_year"),
        ([OWN | {"until_on": date(2024, 12, 30)}], "part_of_year"),
        ([OWN | {"until_on": date(2024, 12, 31)}], None),
    ],
)
def test_a_firms_year_is_the_parcels_only_where_it_is_alone_on_it_and_on_nothing_else(
    uses: list[dict[str, Any]], because: str | None
) -> None:
    got = review(uses, [figures()])
    assert (got["state"], got["because"]) == ("kept" if because is None else "unknown", because)


def test_a_holder_is_on_its_parcel_and_a_parcel_without_an_area_tells_nothing() -> None:
    held = PARCEL | {"holder_uscc": "E"}
    assert review([], [figures()], parcels=[held])["state"] == "kept"
    assert review([TENANT], [figures()], parcels=[held])["because"] == "several_firms"
    assert (
        review([OWN], [figures()], parcels=[held, {"parcel_id": "Q", "holder_uscc": "E"}])["because"]
        == "other_land"
    )
    for area in (None, 0.0):
        assert review([OWN], [figures()], parcels=[PARCEL | {"area_m2": area}])["because"] == "no_area"


@pytest.mark.parametrize(
    ("invested", "seen", "state"),
    [
        (6000.0, date(2025, 1, 2), "kept"),
        (5999.0, date(2025, 1, 2), "missed"),
        (5999.0, None, "missed"),  # as the ledger states it on the day asked
        (5999.0, date(2024, 12, 30), "not_due"),
        (5999.0, date(2025, 6, 2), "unknown"),  # seen after the day asked
        (None, None, "unknown"),
    ],
)
def test_what_was_invested_is_held_to_the_day_the_works_were_to_be_finished(
    invested: float | None, seen: date | None, state: str
) -> None:
    contract: dict[str, Any] = {"finish_by": date(2024, 12, 31), "promised_investment_per_mu": 400.0,
                                "invested_wan": invested, "observed_on": seen,
                                "investment_total_wan": 9e9}  # fmt: skip
    assert review([], [], measure="investment_per_mu", **contract)["state"] == state


def test_figures_of_the_contract_fall_due_with_their_milestone() -> None:
    rows = [
        {"contract_no": "c", "parcel_id": "p", "finish_by": date(2024, 6, 28), "capacity_by": date(2026, 6, 30),
         "promised_investment_per_mu": 400.0, "promised_tax_per_mu": 40.0, "promised_revenue_per_mu": None},
        {"contract_no": "silent", "parcel_id": "q"},
    ]  # fmt: skip
    contracts = table("contracts", *rows)
    found = milestones(contracts, RULE, CALENDAR, date(2025, 1, 1))
    got = contract_promises(contracts, BARS, found)
    assert [(r["measure"], r["promised"], r["due_on"]) for r in got.to_pylist()] == [
        ("investment_per_mu", 400.0, date(2024, 6, 28)),
        ("tax_per_mu", 40.0, date(2026, 6, 30)),
    ]
    assert contract_promises(contracts.select(["contract_no"]), BARS, found).num_rows == 0


def test_less_is_better_where_the_criterion_says_at_most() -> None:
    promised = pa.table({"contract_no": ["a", "b"], "measure": ["energy"] * 2, "promised": [0.1] * 2,
                         "side": ["at_most"] * 2, "unit": ["tce_per_wan"] * 2,
                         "due_on": [date(2024, 1, 2)] * 2})  # fmt: skip
    actual = pa.table({"contract_no": ["a", "b"], "measure": ["energy"] * 2, "actual": [0.1, 0.101],
                       "on": [date(2024, 1, 2)] * 2, "year": [2024] * 2,
                       "because": pa.array([None, None], pa.string())})  # fmt: skip
    assert promised_figures(promised, actual)["state"].to_pylist() == ["kept", "missed"]


def test_what_the_contract_says_follows() -> None:
    rule = scheme(BOOK, AdmissionScheme, "standard_land", date(2025, 1, 1))
    subjects = pa.table(
        {
            "contract_no": ["a", "b", "c"],
            "subject": ["start", "tax_per_mu", "tax_per_mu"],
            "subject_kind": ["milestone", "figure", "figure"],
            "state": ["overdue", "kept", "missed"],
        }
    )
    got = {row["contract_no"]: row["kind"] for row in consequences(subjects, rule).to_pylist()}
    assert got == {"a": "take_back", "b": "reward", "c": "penalty"}
