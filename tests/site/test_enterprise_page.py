"""一企一档: every item of the score opens, the land is drawn, files and the history of changes are kept."""

import io
import re
import shutil
from datetime import date

import pytest
from upload_files import PDF, named, picture

from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import pick
from panhuo.rulebook.scheme_schema import FirmPlanScheme
from panhuo.site.corrections.models import Correction
from panhuo.site.jobs.work import step
from panhuo.site.parcel import firm as firms
from panhuo.site.parcel import opened
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import one, rows, shelf
from panhuo.workspace.enterprises import plans


@pytest.fixture
def firm(cast):
    """An enterprise with a parcel in its own county."""
    return one(
        "SELECT e.enterprise_id AS id FROM enterprises e JOIN occupancies USING (enterprise_id) "
        "JOIN parcels p USING (parcel_id) WHERE e.division = '430112' AND p.division = '430112' ORDER BY 1"
    )["id"]


def test_every_item_of_the_score_opens_to_its_formula_values_and_rows(as_, firm):
    client = as_("clerk")
    page = client.get(f"/enterprise/{firm}/")
    score = page.context["scores"][0]
    assert [i["indicator"] for i in score["rows"]] == ["tax_per_mu", "revenue_per_mu", "land_mu"]
    for item in score["rows"]:
        path = f"/enterprise/{firm}/score/{score['scheme_id']}/{item['indicator']}/"
        assert f'href="{path}"' in page.content.decode()
        assert client.get(path).context["item"] == item
    chain = client.get(f"/enterprise/{firm}/score/hunan_default/tax_per_mu/")
    told = {f["name"]: f["value"] for f in chain.context["facts"]}
    tax = one("SELECT tax_wan FROM enterprises WHERE enterprise_id = ?", (firm,))["tax_wan"]
    assert told == {"tax_wan": tax, "land_mu": 48.0}
    assert "score.cap" in {v.name for v in chain.context["values"]}
    assert {p["parcel_id"] for p in chain.context["land"]} == {
        p["parcel_id"] for p in page.context["parcels"]
    }
    shown = chain.content.decode()
    assert "tax_wan ÷ land_mu" in shown
    for wrong in ("hunan_default/no_such", "no_such/tax_per_mu"):
        assert client.get(f"/enterprise/{firm}/score/{wrong}/").status_code == 404


@pytest.mark.parametrize(
    ("areas", "area", "tax_per_mu"),
    [((None,), None, None), ((None, 2000 / 3), 2000 / 3, None), ((2000 / 3,), 2000 / 3, 9.0)],
)
def test_land_of_unknown_area_is_not_land_of_no_area(areas, area, tax_per_mu):
    told = firms.tiles({"tax_wan": 9.0}, [{"area_m2": a, "findings": []} for a in areas], [])
    assert (told["area_m2"], told["tax_per_mu"]) == (area, tax_per_mu)


def test_in_english_its_industry_and_place_are_told_in_english(as_, firm):
    client = as_("clerk")
    client.cookies["django_language"] = "en"
    page = client.get(f"/enterprise/{firm}/").content.decode()
    industry, place = (re.findall(rf'/value/{name}/">([^<]*)<', page)[0] for name in ("industry", "division"))
    assert industry.startswith("Manufacture of") and place == "Wangcheng District, Changsha"


def test_what_its_contracts_promise_is_held_to_what_was_measured(as_, firm):
    page = as_("clerk").get(f"/enterprise/{firm}/")
    told = page.context["promises"]
    contracts = {c["contract_no"]: c for c in page.context["contracts"]}
    assert told and {p["contract_no"] for p in told} == set(contracts)
    (land,) = page.context["parcels"] if len(page.context["parcels"]) == 1 else (None,)
    for promise in told:
        if land is None:
            assert (promise["state"], promise["because"]) == ("unknown", "other_land")
        else:
            assert promise["state"] == ("kept" if promise["promised"] < 1 else "missed")
            tax = page.context["enterprise"]["tax_wan"]
            assert promise["actual"] == pytest.approx(tax / (land["area_m2"] * 3 / 2000))
        assert promise["words"]["zh"] in page.content.decode()


def test_its_land_is_the_persons_own_drawn_with_its_contracts(as_, firm):
    page = as_("clerk").get(f"/enterprise/{firm}/")
    held = page.context["parcels"]
    assert {p["division"] for p in held} == {"430112"}
    assert len(page.context["drawing"]["near"]) == len(held) > 0
    assert {c["parcel_id"] for c in page.context["contracts"]} == {p["parcel_id"] for p in held}
    assert f"{sum(len(p['findings']) for p in held)}</a>" in page.content.decode()


def test_the_checks_of_its_leases_are_told_inside_ones_land(as_, cast):
    lease = one(
        "SELECT o.*, p.name FROM occupancies o JOIN parcels p USING (parcel_id) WHERE o.kind = 'lease_in'"
    )
    page = as_("auditor").get(f"/enterprise/{lease['enterprise_id']}/")
    found = {c["check"]: c["status"] for c in page.context["leases"]["rows"]}
    assert found["term"] == "yes" and found["price_low"] == "unknown" and "sublet" not in found
    assert page.context["leases"]["rows"][0]["status"] == "yes", "what is broken stands first"
    shown = page.content.decode().split('id="leases"')[1].split("</section>")[0]
    for word in (
        lease["name"],
        "租期超过法定上限",
        "不符",
        "21 / 20<br><small>年",
        "第705条",
        "租金或租赁面积",
    ):
        assert word in shown
    of_none = one(
        "SELECT enterprise_id AS id FROM enterprises ANTI JOIN "
        "(FROM occupancies WHERE kind = 'lease_in') USING (enterprise_id)"
    )
    assert as_("auditor").get(f"/enterprise/{of_none['id']}/").context["leases"] is None
    assert firms.lease_checks(lease["enterprise_id"], []) is None, "a lease on others' land is not shown"


def proposed_to(client, firm):
    plan = client.get(f"/enterprise/{firm}/").context["plan"]
    return {a["action"] for a in plan["actions"]} if plan else None


def test_the_page_proposes_what_the_workspace_proposes_and_each_measure_opens(as_, cast):
    every = {}
    for row in plans(shelf().workspace, on=date(2026, 11, 2)).to_pylist():
        every.setdefault(row["enterprise_id"], set()).add(row["action"])
    scored = rows("SELECT enterprise_id AS id, tier FROM scores ORDER BY 1")
    client = as_("auditor")
    some = [r for r in scored if r["tier"] in ("C", "D")][::4] + [r for r in scored if r["tier"] == "A"][:2]
    assert len(some) > 4
    assert every
    for firm in some:
        assert proposed_to(client, firm["id"]) == every.get(firm["id"], set()), firm
    for firm, actions in list(every.items())[:2]:
        shown = client.get(f"/enterprise/{firm}/").content.decode()
        for action in actions:
            path = f"/enterprise/{firm}/action/{action}/"
            assert f'href="{path}"' in shown
            assert client.get(path).status_code == 200
        assert client.get(f"/enterprise/{firm}/action/no_such/").status_code == 404


def test_a_measure_names_the_parcels_and_findings_it_counts_inside_ones_land(as_, cast):
    unbuilt = pick(Rulebook.load(), FirmPlanScheme, "430112", date.today()).counts["unbuilt_parcels"].findings
    firm = one(
        "SELECT enterprise_id AS id FROM scores JOIN occupancies USING (enterprise_id) "
        "JOIN parcels p USING (parcel_id) "
        f"WHERE scores.tier IN ('C', 'D') AND list_has_any(p.findings, {unbuilt}) ORDER BY 1"
    )["id"]
    chain = as_("auditor").get(f"/enterprise/{firm}/action/urge/")
    told = next(f for f in chain.context["facts"] if f["name"] == "unbuilt_parcels")
    assert told["value"] == len(told["parcels"]) > 0
    for parcel in told["parcels"]:
        for finding in parcel["counted"]:
            assert finding in unbuilt
            assert f'href="/parcel/{parcel["parcel_id"]}/finding/{finding}/"' in chain.content.decode()


def test_what_is_planned_on_its_land_is_told_with_its_sums(as_):
    planned = one(
        "SELECT enterprise_id AS id, plan.* FROM plan JOIN occupancies USING (parcel_id) "
        "JOIN enterprises e USING (enterprise_id) WHERE e.division = '430112' ORDER BY order_no"
    )
    page = as_("auditor").get(f"/enterprise/{planned['id']}/")
    held = next(p for p in page.context["parcels"] if p["parcel_id"] == planned["parcel_id"])
    assert held["plan"]["benefit_wan"] == planned["benefit_wan"]
    path = f"/parcel/{planned['parcel_id']}/tool/{planned['tool_id']}/"
    assert f'href="{path}"' in page.content.decode()


def test_of_one_day_only_the_assessment_made_last_is_in_its_history(as_, firm):
    """An earlier one of the same day scored the firm otherwise; its folder may come before or after by name."""
    folders = shelf().workspace.assessment_dir().parent
    now = shelf().workspace.assessment_dir()
    others = [folders / name for name in ("0", "z")]
    try:
        for other in others:
            shutil.copytree(now, other)
        told = as_("auditor").get(f"/enterprise/{firm}/history/").context["events"]
        assert len([e for e in told if e["kind"] == "scored"]) == 1
        assert [folder for _, folder in shelf().workspace.past_assessments()] == [now]
    finally:
        for other in others:
            shutil.rmtree(other, ignore_errors=True)


def test_its_files_are_kept_and_its_corrections_change_its_history(as_, firm):
    client = as_("clerk")
    client.post(
        f"/enterprise/{firm}/attach/", {"file": [named(PDF, "营业执照.pdf"), named(picture(), "厂区.png")]}
    )
    page = client.get(f"/enterprise/{firm}/")
    assert [f.name for f in page.context["files"]] == ["营业执照.pdf"]
    assert [f.name for f in page.context["pictures"]] == ["厂区.png"]
    said = {
        "do": "propose",
        "field": "employees",
        "value": "77",
        "evidence": "社保名册",
        "file": named(PDF, "a.pdf"),
    }
    client.post(f"/correct/enterprises/{page.context['key']}/", said)
    as_("leader").post(f"/corrections/{Correction.objects.get().pk}/decide/", {"do": "approve"})
    assert step()
    shelf().follow()
    assert client.get(f"/enterprise/{firm}/").context["enterprise"]["employees"] == 77
    told = client.get(f"/enterprise/{firm}/history/")
    kinds = [e["kind"] for e in told.context["events"]]
    assert kinds[:2] == ["decided", "proposed"]
    assert {"filed", "scored"} <= set(kinds)
    assert "社保名册" in told.content.decode()
    assert Attachment.objects.filter(dataset="enterprises", subject=firm).count() == 3
    value = client.get(f"/enterprise/{firm}/value/employees/").content.decode()
    assert "证据与经过" in value


def test_a_next_years_row_is_no_change_of_the_last(db):
    held = [{"year": 2024, "tax_wan": 1.0, "valid_from": 1}, {"year": 2025, "tax_wan": 2.0, "valid_from": 2},
            {"year": 2024, "tax_wan": 3.0, "valid_from": 3}]  # fmt: skip
    told = opened.changes_by_year(held)
    assert [(c["row"]["year"], c["fields"][0]["value"]) for c in told] == [(2024, "3")]


def test_a_parcels_history_tells_of_its_contracts_corrections(as_, parcel_id):
    number = one("SELECT contract_no FROM contracts WHERE parcel_id = ?", (parcel_id,))["contract_no"]
    said = {
        "do": "propose",
        "field": "work_state",
        "value": "suspended",
        "evidence": "现场",
        "file": io.BytesIO(PDF),
    }
    said["file"].name = "a.pdf"
    as_("clerk").post(f"/correct/contracts/{number}/", said)
    events = as_("clerk").get(f"/parcel/{parcel_id}/history/").context["events"]
    assert events[0]["correction"].key == number
    assert Attachment.objects.get().subject == parcel_id
