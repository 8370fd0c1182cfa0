"""Milestones on the right day, across year ends, leap days and holidays."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from panhuo.core.dates import WorkCalendar
from panhuo.inventory.spec import dataset_spec
from panhuo.measure.lifecycle import milestones, stages
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import LifecycleScheme

BOOK = Rulebook.load()
RULE = scheme(BOOK, LifecycleScheme, "lifecycle", date(2025, 1, 1))
CALENDAR = WorkCalendar(
    {day for year in BOOK.calendars.values() for day in year.holidays},
    {day for year in BOOK.calendars.values() for day in year.workdays},
    date(2012, 1, 1),
    date(2026, 12, 31),
)
AHEAD = int(float(RULE.milestones["start"].ahead_days))


def state(on: date, milestone: str = "start", **fields: Any) -> dict[str, Any]:
    table = pa.Table.from_pylist([{"contract_no": "c", "parcel_id": "p", **fields}])
    rows = milestones(table, RULE, CALENDAR, on).to_pylist()
    return next(row for row in rows if row["milestone"] == milestone)


DUES = [
    (date(2024, 2, 29), date(2024, 2, 29)),  # a leap day, a Thursday
    (date(2024, 12, 31), date(2024, 12, 31)),  # a year's last day
    (date(2025, 1, 1), date(2025, 1, 2)),  # New Year's Day
    (date(2024, 10, 1), date(2024, 10, 8)),  # the October holiday
    (date(2024, 2, 4), date(2024, 2, 4)),  # a Sunday worked in exchange
    (date(2024, 3, 2), date(2024, 3, 4)),  # a Saturday
    (date(2023, 12, 31), date(2024, 1, 2)),  # a Sunday, then New Year's Day
    (date(2024, 2, 10), date(2024, 2, 18)),  # the Spring Festival, ended by a Sunday worked
]


@pytest.mark.parametrize(("due", "last"), DUES)
def test_forewarning_and_warning_begin_on_their_days(due: date, last: date) -> None:
    facts: dict[str, Any] = {"start_by": due, "work_state": "not_started"}
    first = last - timedelta(days=AHEAD)
    assert state(first - timedelta(days=1), **facts)["state"] == "ahead"
    assert state(first, **facts)["state"] == "due_soon" and state(first, **facts)["days"] == AHEAD
    assert state(last, **facts)["state"] == "due_soon" and state(last, **facts)["days"] == 0
    late = state(last + timedelta(days=1), **facts)
    assert (late["state"], late["days"], late["due_on"]) == ("overdue", 1, last)


def test_a_warning_stops_when_the_fact_changes() -> None:
    on, due = date(2024, 6, 3), date(2024, 3, 1)
    assert state(on, start_by=due, work_state="not_started")["state"] == "overdue"
    assert state(on, start_by=due, work_state="under_way")["state"] == "met"
    assert state(on, start_by=due, started_on=due)["state"] == "met"
    assert (late := state(on, start_by=due, started_on=date(2024, 3, 4)))["state"] == "met_late" and late[
        "days"
    ] == 3
    assert (
        state(on, start_by=due, started_on=date(2024, 6, 4), work_state="not_started")["state"] == "overdue"
    )


def test_nobody_knowing_is_unknown_and_no_date_is_said() -> None:
    assert state(date(2024, 6, 3), start_by=date(2024, 3, 1))["state"] == "unknown"
    assert state(date(2024, 6, 3), work_state="not_started")["state"] == "no_date"


def test_production_falls_due_after_completion_where_the_contract_is_silent() -> None:
    facts: dict[str, Any] = {"finish_by": date(2024, 8, 31), "work_state": "under_way"}
    assert state(date(2024, 9, 1), "production", **facts)["due_on"] == date(2025, 2, 28)
    agreed = state(date(2024, 9, 1), "production", production_by=date(2025, 6, 3), **facts)
    assert agreed["due_on"] == date(2025, 6, 3)


def test_two_years_from_a_leap_day_fall_due_on_the_last_of_february() -> None:
    facts: dict[str, Any] = {"produced_on": date(2024, 2, 29), "reached": False}
    # A Saturday, but worked in exchange for the Spring Festival of 2026.
    assert state(date(2026, 2, 28), "capacity", **facts)["due_on"] == date(2026, 2, 28)
    assert state(date(2026, 2, 28), "capacity", **facts)["state"] == "due_soon"
    assert state(date(2026, 3, 1), "capacity", **facts)["state"] == "overdue"
    facts["reached_on"] = date(2026, 2, 27)
    assert state(date(2026, 3, 1), "capacity", **facts)["state"] == "met"


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("building", "entering"),
        ("operating", "inside"),
        ("half_stopped", "inside"),
        ("stopped", "leaving"),
        ("cancelled", "left"),
        (None, "unknown"),
    ],
)
def test_stages_in_the_park(status: str | None, stage: str) -> None:
    table = pa.table({"enterprise_id": ["e"], "status": pa.array([status], pa.string())})
    assert stages(table, RULE)["stage"].to_pylist() == [stage]


STATED = [
    ("delivery", "delivery_by", "delivered_on"),
    ("start", "start_by", "started_on"),
    ("finish", "finish_by", "finished_on"),
    ("production", "production_by", "produced_on"),
    ("capacity", "capacity_by", "reached_on"),
]


@pytest.mark.parametrize(("milestone", "due", "met"), STATED)
def test_each_milestone_stands_on_its_stated_dates(milestone: str, due: str, met: str) -> None:
    """The fields are those of the contracts dataset, so what a ledger states is what counts."""
    assert {due, met} <= set(dataset_spec("contracts").fields)
    promised = date(2024, 12, 31)
    held = state(date(2025, 1, 2), milestone, **{due: promised, met: date(2024, 12, 31)})
    assert (held["due_on"], held["state"]) == (promised, "met")
    late = state(date(2025, 1, 2), milestone, **{due: promised, met: date(2025, 1, 1)})
    assert (late["state"], late["days"]) == ("met_late", 1)
