"""Compare and plan in the browser: inputs edited, saved with their author, plans asked for, read, adopted; reports."""

import io

import openpyxl
import pytest
from django.test import Client

from panhuo.core.problems import PanhuoError
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.work import step
from panhuo.site.money import given
from panhuo.site.money.models import InputSet
from panhuo.site.shelf import one, rows, shelf

TOOLS = ["agreed_resumption", "idle_fee"]
PLAN = {"budget_wan": "100000", "years": "2", "with_check": "1", "input": ["land_compensation_wan", "market_value_wan"],
        "input_value": ["10", "5000"]}  # fmt: skip


@pytest.fixture
def compensated():
    """A parcel of county 430112 that may be taken back by agreement."""
    found = one(
        "SELECT p.parcel_id FROM parcels p JOIN options o USING (parcel_id) WHERE division = '430112' AND "
        "o.tool_id = 'agreed_resumption' AND o.status <> 'closed' ORDER BY parcel_id"
    )
    return found["parcel_id"]


def sums(page, tool):
    names = [t["tool_id"] for t in page.context["result"]["tools"]]
    holder = next(p for p in page.context["result"]["parties"] if p["label"] == "权利人")
    return holder["measures"][0]["cells"][names.index(tool)]


def test_inputs_are_edited_worked_out_anew_saved_and_used_again(as_, compensated):
    client, address = as_("clerk"), f"/parcel/{compensated}/compare/"
    page = client.post(address, {"i.land_compensation_wan": "800 (700~900)", "tool": ["agreed_resumption"]})
    cash = sums(page, "agreed_resumption")["value"]
    shown = {i["name"]: i for i in page.context["inputs"]}
    assert shown["land_compensation_wan"]["mark"] == "given"
    assert shown["area_m2"]["mark"] == "ledger"
    assert shown["discount_rate"]["mark"] == "defaulted"
    assert not InputSet.objects.exists(), "an edit alone is not kept"
    client.post(address + "save/", {"i.land_compensation_wan": "800 (700~900)", "note": "评估报告"})
    kept = InputSet.objects.get()
    assert (kept.by.username, kept.values["land_compensation_wan"]["low"]) == ("clerk", 700)
    again = as_("reviewer").post(address, {"i.land_compensation_wan": "900", "tool": ["agreed_resumption"]})
    assert sums(again, "agreed_resumption")["value"] == pytest.approx(cash + 100, abs=0.1)
    assert sums(again, "agreed_resumption")["change"] == pytest.approx(100, abs=0.1), (
        "told against the saved inputs"
    )
    opened = as_("reviewer").get(address)
    assert {i["name"]: i["text"] for i in opened.context["inputs"]}[
        "land_compensation_wan"
    ] == "800 (700~900)"


def test_what_is_missing_is_asked_for_by_name_not_invented(as_):
    parcel = one(
        "SELECT p.parcel_id FROM parcels p JOIN options o USING (parcel_id) WHERE division = '430112' AND "
        "o.tool_id = 'far_uplift' AND o.status <> 'closed'"
    )["parcel_id"]
    page = as_("clerk").post(f"/parcel/{parcel}/compare/", {"tool": ["far_uplift"]})
    refused = page.context["result"]["refused"]
    assert [r["tool_id"] for r in refused] == ["far_uplift"]
    assert ("new_floor_area_m2", "新建建筑面积") in refused[0]["needs"][0]
    assert page.context["inputs"][0]["rank"] == "asked"


@pytest.mark.parametrize("text", ["many", "-5", "9 (10~20)"])
def test_a_value_that_does_not_fit_is_said(as_, compensated, text):
    page = as_("clerk").post(
        f"/parcel/{compensated}/compare/", {"i.land_compensation_wan": text, "tool": TOOLS}
    )
    assert page.status_code == 400
    assert "land_compensation_wan" in page.content.decode() or "土地补偿" in page.content.decode()


@pytest.mark.parametrize(
    ("name", "text"),
    [("topup_wan", "12300"), ("topup_wan", "12300 (12000~12600)"), ("topup_wan", "12300 ±10%"),
     ("is_industrial", "yes"), ("acquired_on", "2016-04-30"), ("instalments", "2026-06-30 500; 2027-06-30 300")],
)  # fmt: skip
def test_the_text_of_an_input_comes_back_the_same(name, text):
    assert given.told(given.read(name, text)) == text


def test_text_that_is_no_value_is_refused():
    with pytest.raises(PanhuoError):
        given.read("is_industrial", "maybe")


@pytest.fixture
def planned(as_):
    """A plan of the clerk's county, run; the workspace's own plan is put back afterwards."""
    kept = shelf().workspace.assessment_dir() / "plan.parquet"
    before = kept.read_bytes()
    page = as_("clerk").post("/plan/", PLAN)
    assert step()
    job = Job.objects.get(kind="plan")
    assert job.state == "done", job.fault
    assert page["Location"] == f"/jobs/{job.pk}/"
    yield job
    kept.write_bytes(before)
    shelf().follow()


def test_a_plan_is_of_ones_own_land_says_why_and_is_exported(as_, planned):
    client = as_("clerk")
    page = client.get(f"/plan/{planned.pk}/")
    ids = {r["parcel_id"] for r in page.context["plan"]["chosen"]}
    left = page.context["plan"]["left_out"]
    home = {r["parcel_id"] for r in rows("SELECT parcel_id FROM parcels WHERE division = '430112'")}
    assert ids
    assert (ids | {r["parcel_id"] for r in left}) <= home
    assert {r["why"] for r in left} <= {"no_gain", "over_budget", "outbid", "missing"}
    assert page.context["plan"]["spent_wan"] <= 100_000
    book = openpyxl.load_workbook(
        io.BytesIO(b"".join(client.get(f"/plan/{planned.pk}.xlsx").streaming_content))
    )
    assert {row[0].value for row in book["入选"].iter_rows(min_row=2)} == ids
    again = client.get(f"/plan/?from={planned.pk}").context["asked"]["inputs"]
    assert [tuple(row) for row in again if row[0]] == [
        ("market_value_wan", "5000"),
        ("land_compensation_wan", "10"),
    ]


def test_a_plan_is_adopted_by_a_decider_for_its_land_alone(as_, planned):
    elsewhere = "SELECT parcel_id, plan_tool FROM parcels WHERE division <> '430112' ORDER BY 1"
    before = rows(elsewhere)
    ids = {r["parcel_id"] for r in as_("clerk").get(f"/plan/{planned.pk}/").context["plan"]["chosen"]}
    assert as_("clerk").post(f"/plan/{planned.pk}/adopt/").status_code == 403
    assert as_("leader").post(f"/plan/{planned.pk}/adopt/").status_code == 302
    assert step()
    assert Job.objects.get(kind="adopt").state == "done"
    shelf().follow()
    adopted = rows("SELECT parcel_id FROM parcels WHERE division = '430112' AND plan_tool IS NOT NULL")
    assert {r["parcel_id"] for r in adopted} == ids
    assert rows(elsewhere) == before


def test_targets_that_cannot_hold_are_named(as_):
    wish = {
        "target_division": ["430112"],
        "target_measure": [""],
        "target_year": ["1"],
        "target_least_mu": ["999999"],
    }
    as_("clerk").post("/plan/", PLAN | wish)
    assert step()
    job = Job.objects.get(kind="plan")
    assert job.state == "failed"
    assert "430112" in job.fault


@pytest.mark.parametrize("wrong", [{"years": "0"}, {"budget_wan": "lots"}, {"exclusive": "one"}])
def test_a_plan_that_cannot_be_asked_for_is_said(as_, wrong):
    assert as_("clerk").post("/plan/", PLAN | wrong).status_code == 400
    assert not Job.objects.exists()


def test_a_list_is_written_for_ones_own_land(as_):
    finding = one("SELECT finding_id FROM findings JOIN parcels USING (parcel_id) WHERE division = '430112'")[
        "finding_id"
    ]
    client = as_("clerk")
    client.post("/jobs/report/", {"what": "list", "id": finding, "ending": "xlsx"})
    assert step()
    job = Job.objects.get()
    assert job.state == "done", job.fault
    content = b"".join(client.get(f"/jobs/{job.pk}/file/").streaming_content)
    text = " ".join(
        str(c.value)
        for sheet in openpyxl.load_workbook(io.BytesIO(content))
        for row in sheet.iter_rows()
        for c in row
    )
    assert "430112" in text
    assert "430424" not in text
    assert as_("far_clerk").get(f"/jobs/{job.pk}/file/").status_code == 404
    assert as_("leader").get(f"/jobs/{job.pk}/file/").status_code == 200, "holds all that land"
    assert (
        client.post("/jobs/report/", {"what": "list", "id": "no_such", "ending": "xlsx"}).status_code == 400
    )


def test_strangers_wrong_roles_and_other_counties(as_, parcel_id, planned):
    paths = [f"/parcel/{parcel_id}/compare/", "/plan/", f"/plan/{planned.pk}/", f"/plan/{planned.pk}.xlsx"]
    for path in paths:
        assert Client().get(path)["Location"].startswith("/account/login/"), path
        assert as_("public").get(path).status_code == 403, path
    far = as_("far_clerk")
    assert [far.get(p).status_code for p in paths] == [404, 200, 404, 404]
    assert far.post(f"/parcel/{parcel_id}/compare/save/", {}).status_code == 404
    assert far.post("/jobs/report/", {"what": "parcel", "id": parcel_id, "ending": "docx"}).status_code == 404
    reader = as_("consulted")
    assert reader.get(paths[0]).status_code == 200
    assert reader.post(f"/parcel/{parcel_id}/compare/save/", {}).status_code == 403
    assert reader.post("/plan/", PLAN).status_code == 403
    assert reader.post("/jobs/report/", {"what": "board", "id": "", "ending": "docx"}).status_code == 403


def test_a_companys_own_figures_bind_nobody_else(as_, cast):
    holder = cast["company"].scopes.get().value
    parcel = one("SELECT parcel_id FROM parcels WHERE holder_uscc = ?", (holder,))["parcel_id"]
    as_("company").post(f"/parcel/{parcel}/compare/save/", {"i.land_compensation_wan": "99999"})
    assert InputSet.open_to(cast["company"]).count() == 1
    assert InputSet.open_to(cast["leader"]).count() == 0
