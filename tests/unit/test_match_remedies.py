"""The measures of a place by class of land: Xiangtan's fifteen (case 10), on the facts of a parcel."""

from datetime import date

import pytest

from panhuo.match.remedies import remedies
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import Law
from panhuo.rulebook.scheme import load_schemes
from panhuo.rulebook.scheme_schema import RemedyScheme

BOOK = Rulebook.load()
LAW = Law(BOOK, date(2024, 1, 1))
TITLING = [{"tool_id": "legacy_titling", "status": "open"}]


def classes(options=(), law=LAW, **facts):
    found = remedies(law, {"division": "430304", **facts}, options)
    return {land["id"]: land for land in found["classes"]}


def measures(land):
    return {one["id"]: one for one in land["remedies"]}


def test_there_are_fifteen_in_four_classes():
    scheme = load_schemes(BOOK, RemedyScheme)["xiangtan_measures"]
    assert [len(land.remedies) for land in scheme.classes.values()] == [5, 3, 3, 4]


def test_elsewhere_and_before_its_day_there_is_no_scheme():
    assert remedies(LAW, {"division": "430112"}, ()) is None
    assert remedies(LAW, {"division": None}, ()) is None
    assert remedies(Law(BOOK, date(2023, 8, 31)), {"division": "430304"}, ()) is None
    assert remedies(Law(BOOK, date(2023, 9, 1)), {"division": "430304"}, ()) is not None


@pytest.mark.parametrize(
    ("facts", "status"),
    [({"productive": True}, "yes"), ({"productive": False}, "no"), ({}, "unknown")],
)
def test_a_class_holds_or_not_or_nobody_knows(facts, status):
    land = classes(**facts)["industry"]
    assert land["status"] == status
    assert bool(land["remedies"]) == (status != "no")


def test_what_would_settle_a_class_is_named_by_what_can_be_found_out():
    assert classes()["village"]["missing"] == ["plan_settled"]
    assert classes(land_class="residential")["town"]["missing"] == []
    assert classes(land_use="05")["town"]["missing"] == ["land_use_scheme"]


def test_a_measure_stands_as_the_best_of_its_tools():
    options = [
        {"tool_id": "self_renewal", "status": "closed"},
        {"tool_id": "use_conversion", "status": "check"},
    ]
    found = measures(classes(options, productive=True)["industry"])
    assert found["whole_change"]["status"] == "check"
    assert [tool["tool_id"] for tool in found["whole_change"]["tools"]] == ["self_renewal", "use_conversion"]
    assert found["split"] == {**found["split"], "status": "absent", "tools": []}


def test_an_open_tool_is_only_to_check_while_the_class_is_unknown():
    assert measures(classes(TITLING, legacy=True)["legacy"])["by_time"]["status"] == "open"
    assert measures(classes(TITLING)["legacy"])["by_time"]["status"] == "check"


@pytest.mark.parametrize(
    ("tenure", "leads_to"),
    [
        ("collective", ["集体经营性建设用地租赁使用权"]),
        ("granted", ["国有建设用地使用权"]),
        (None, []),
        ("unknown", []),
    ],
)
def test_legacy_land_is_registered_by_its_right(tenure, leads_to):
    found = measures(classes(TITLING, legacy=True, tenure=tenure)["legacy"])["by_right"]
    assert [to["zh"] for to in found["registers"]] == leads_to


@pytest.mark.parametrize(
    ("holders", "status", "leads"), [(2, "open", 1), (1, "closed", 0), (None, "check", 1)]
)
def test_shares_are_for_several_holders(holders, status, leads):
    found = measures(classes(TITLING, legacy=True, site_holders=holders)["legacy"])["by_share"]
    assert (found["status"], len(found["registers"])) == (status, leads)
