"""Rules and tools judged over parcels: what is certain, what stays to check, what the fit of a tool is made of."""

import json
from datetime import date

import pyarrow as pa
import pytest

from panhuo.diagnose import diagnose
from panhuo.inventory.spec import dataset_spec
from panhuo.match import match
from panhuo.match.options import Clause, judge_clauses
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import Law
from panhuo.rulebook.precedents import load_precedents
from panhuo.rulebook.schema import Condition, Favour, Label

BOOK = Rulebook.load()
DAY = date(2025, 6, 30)
WHY = Label(zh="因", en="why")
PARTS = [
    Clause("requires.0", Condition(when="a", because=WHY)),
    Clause("blocked_by.0", Condition(when="b", because=WHY)),
    Clause("favoured_by.0", Favour(when="c", because=WHY, weight=2.5)),
]
PARCEL = {
    "tenure": "granted",
    "division": "430112",
    "area_m2": 20_000.0,
    "land_use": "1001",
    "land_use_scheme": "mnr_2023",
}
CONTRACT = {"signed_on": date(2020, 1, 1), "delivered_on": date(2020, 2, 1), "start_by": date(2021, 1, 1)}


@pytest.mark.parametrize(
    ("truths", "status", "fit"),
    [
        ((True, False, True), "open", 2.5),
        ((True, False, None), "open", 0.0),
        ((False, False, True), "closed", 2.5),
        ((True, True, False), "closed", 0.0),
        ((None, False, False), "check", 0.0),
        ((True, None, False), "check", 0.0),
        ((None, True, False), "closed", 0.0),
    ],
)
def test_a_tool_is_closed_by_what_is_certain_and_to_check_by_what_is_not(truths, status, fit):
    assert judge_clauses(PARTS, truths) == (status, fit)


def rows(name, given):
    return pa.Table.from_pylist(given, schema=dataset_spec(name).arrow_schema())


def options(tables, on=DAY):
    diagnosis = diagnose(tables, Law(BOOK, on))
    found = match(diagnosis, Law(BOOK, on), load_precedents()).to_pylist()
    held = {(f["parcel_id"], f["finding_id"]) for f in diagnosis.findings.to_pylist() if f["status"] == "yes"}
    return found, held


def parcels(*ids, **fields):
    return rows("parcels", [PARCEL | {"parcel_id": i} | fields for i in ids])


def contracts(**states):
    return rows(
        "contracts",
        [CONTRACT | {"contract_no": i, "parcel_id": i, "work_state": state} for i, state in states.items()],
    )


def test_the_fit_is_the_weight_of_what_holds_and_orders_the_tools_of_a_status():
    tables = {
        "parcels": parcels("idle", "done", "unknown", far_planned_max=2.0, floor_area_m2=4_000.0),
        "contracts": contracts(idle="not_started", done="finished", unknown=None),
    }
    tables["contracts"] = tables["contracts"].set_column(
        tables["contracts"].column_names.index("delay_cause"), "delay_cause", [["holder"] * 3]
    )
    found, held = options(tables)
    severity = BOOK.parameter("match.severity_weight", DAY).value
    assert {r["status"] for r in found} == {"open", "check", "closed"}
    for row in found:
        tool = BOOK.tools[row["tool_id"]]
        favours = [r["clause"] for r in json.loads(row["because"]) if r["clause"].startswith("favoured_by")]
        weight = sum(tool.favoured_by[int(clause.split(".")[1])].weight for clause in favours)
        weight += sum(
            severity[BOOK.rules[f].severity] for f in tool.addresses if (row["parcel_id"], f) in held
        )
        assert row["fit"] == pytest.approx(weight)
    for parcel in ("idle", "done", "unknown"):
        ranked = sorted((r for r in found if r["parcel_id"] == parcel), key=lambda r: r["rank"])
        order = [(("open", "check", "closed").index(r["status"]), -r["fit"], r["tool_id"]) for r in ranked]
        assert order == sorted(order)


def test_what_no_ledger_was_given_for_offers_no_tool_and_what_one_leaves_open_is_to_check():
    land = parcels("a")
    without, _ = options({"parcels": land})
    with_it, _ = options({"parcels": land, "contracts": contracts(a=None)})
    assert "idle_fee" not in {r["tool_id"] for r in without}
    assert {r["tool_id"]: r["status"] for r in with_it}["idle_fee"] == "check"


def test_a_tool_is_offered_from_the_day_it_is_law():
    land = parcels("a", planned_use="05", planned_use_scheme=None, use_state="vacant", floor_area_m2=4_000.0)
    for on, is_law in ((date(2015, 9, 9), False), (date(2015, 9, 10), True)):
        found, _ = options({"parcels": land}, on)
        assert ("transition_period" in {r["tool_id"] for r in found}) == is_law


def test_a_rule_is_unknown_where_nobody_knows_whether_it_applies():
    """Low tax is asked of industrial land: with the use unknown neither yes nor no, and the use is what is missing."""
    firms = rows("enterprises", [{"enterprise_id": "E", "tax_wan": 0.1, "division": "430112"}])
    users = rows(
        "occupancies", [{"parcel_id": i, "enterprise_id": "E", "kind": "own"} for i in ("mill", "what")]
    )
    land = pa.concat_tables(
        [parcels("mill"), parcels("what", land_use=None), parcels("shop", land_use="0901")]
    )
    tables = {"parcels": land, "enterprises": firms, "occupancies": users}
    found = diagnose(tables, Law(BOOK, DAY)).findings.to_pylist()
    low = {r["parcel_id"]: (r["status"], r["missing"]) for r in found if r["finding_id"] == "low_tax"}
    assert low == {"mill": ("yes", ""), "what": ("unknown", "land_use")}


@pytest.mark.parametrize(
    ("kind", "firm", "found"),
    [
        (None, {"status": "stopped"}, ("yes", None)),
        ("lease_out", {"status": "stopped"}, (None, None)),
        (None, {"status": "operating", "tax_wan": 0.1}, (None, "yes")),
        (None, None, ("unknown", "unknown")),
    ],
)
def test_a_use_of_unsaid_kind_is_a_use_and_a_firm_nobody_tells_of_is_unknown(kind, firm, found):
    """A ledger's row 'this firm, this parcel' often says no more; only who lets the land out is not its user."""
    firms = [{"enterprise_id": "E", "division": "430112"} | firm] if firm else [{"enterprise_id": "other"}]
    tables = {
        "parcels": parcels("mill"),
        "enterprises": rows("enterprises", firms),
        "occupancies": rows("occupancies", [{"parcel_id": "mill", "enterprise_id": "E", "kind": kind}]),
    }
    told = {r["finding_id"]: r["status"] for r in diagnose(tables, Law(BOOK, DAY)).findings.to_pylist()}
    stopped, low = found
    assert told.get("stopped_enterprise") == stopped
    assert low is None or told.get("low_tax") == low


def test_one_firms_unknown_tax_leaves_the_parcels_unknown():
    firms = [{"enterprise_id": e, "division": "430112", "tax_wan": t} for e, t in (("E", 0.1), ("F", None))]
    users = [{"parcel_id": "mill", "enterprise_id": e, "kind": "own"} for e in "EF"]
    tables = {
        "parcels": parcels("mill"),
        "enterprises": rows("enterprises", firms),
        "occupancies": rows("occupancies", users),
    }
    told = {r["finding_id"]: r for r in diagnose(tables, Law(BOOK, DAY)).findings.to_pylist()}
    assert (told["low_tax"]["status"], told["low_tax"]["missing"]) == ("unknown", "occupant_tax_wan")


def test_what_no_ledger_tells_is_said_once_for_the_run_and_what_one_tells_of_parcel_by_parcel():
    """Without contracts no parcel is undecided for want of them; one of a rule's two ledgers is enough to judge it."""
    bare = diagnose({"parcels": parcels("a")}, Law(BOOK, DAY))
    assert "contracts" in bare.not_assessed["idle_not_started"]
    assert "idle_not_started" not in bare.findings["finding_id"].to_pylist()
    one = diagnose({"parcels": parcels("a"), "contracts": contracts(a=None)}, Law(BOOK, DAY))
    assert "idle_not_started" not in one.not_assessed
    told = {r["finding_id"]: r["status"] for r in one.findings.to_pylist()}
    assert told["idle_not_started"] == "unknown"
