"""The ledger's form reaches every field; acts on several rows keep to role and land and leave their trail."""

import io
import zipfile
from itertools import chain

import openpyxl
import pytest
from django.http import QueryDict
from upload_files import PDF, named

from panhuo.site.accounts.models import Trail
from panhuo.site.corrections.models import Correction
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.work import step
from panhuo.site.ledger import bulk, filters, query
from panhuo.site.ledger.models import Publication
from panhuo.site.ledger.query import fields
from panhuo.site.shelf import one, rows

DATASETS = ("parcels", "enterprises", "contracts")
FAR = "430424001001GB00099"


def content(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.fixture
def ids(cast):
    found = rows("SELECT parcel_id FROM parcels WHERE division = '430112' ORDER BY parcel_id LIMIT 3")
    return [row["parcel_id"] for row in found]


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_field_has_a_condition_whose_every_control_the_address_takes(as_, dataset):
    client = as_("reviewer")
    added = "&".join(f"add={name}" for name in fields(dataset))
    page = client.get(f"/ledger/{dataset}/?{added}")
    held = page.context["conditions"]
    assert {c.name for c in held} == set(fields(dataset))
    assert page.context["addable"] == []
    shown = page.content.decode()
    sample = {"text": "a", "number": "1", "date": "2020-01-01", "bool": "true", "code": "x", "list": "x"}
    for condition in held:
        for test in filters.TESTS[condition.kind]:
            assert f'name="{condition.name}{test}"' in shown or (not condition.choices and test == "")
            value = "1" if test == ".empty" else sample[condition.kind]
            assert client.get(f"/ledger/{dataset}/", {condition.name + test: value}).status_code == 200


def test_the_form_keeps_what_the_address_asks_and_passes_on_what_it_does_not_show(as_):
    asked = "tenure=granted&tenure=leased&area_m2.min=5&term_end.max=2060-01-01&holder=x&sort=-area_m2&box=1,2,3,4"
    context = as_("clerk").get(f"/ledger/parcels/?{asked}").context
    held = {c.name: c for c in context["conditions"]}
    assert held["tenure"].chosen == ["granted", "leased"]
    assert (held["area_m2"].low, held["term_end"].high) == ("5", "2060-01-01")
    assert context["unseen"] == [("holder", "x"), ("sort", "-area_m2"), ("box", "1,2,3,4")]
    assert {c.name for c in context["conditions"] if c.active} == {"tenure", "area_m2", "term_end"}


def test_htmx_gets_the_conditions_alone_with_the_new_one_open(as_):
    head = {"HX-Request": "true", "HX-Target": "conditions"}
    part = (
        as_("clerk")
        .get("/ledger/contracts/?work_state=finished&add=signed_on", headers=head)
        .content.decode()
    )
    assert "<html" not in part
    assert '<details class="condition" name="condition" id="c-signed_on" open>' in part
    assert 'value="finished" checked' in part


@pytest.mark.parametrize(
    "asked, sql",
    [
        ("price_wan.min=50&price_wan.empty=1", "price_wan >= 50 OR price_wan IS NULL"),
        ("price_wan.empty=1", "price_wan IS NULL"),
        ("price_wan.empty=0", "price_wan IS NOT NULL"),
        ("price_wan.min=50&price_wan.max=60&tenure=granted",
         "price_wan BETWEEN 50 AND 60 AND tenure = 'granted'"),
        ("first_tool=idle_fee&first_tool.empty=1&tenure=granted",
         "(first_tool = 'idle_fee' OR first_tool IS NULL) AND tenure = 'granted'"),
        ("findings.empty=1", "len(findings) = 0"),
        ("findings.empty=0", "len(findings) > 0"),
        ("findings=low_far&findings.empty=1", "list_contains(findings, 'low_far') OR len(findings) = 0"),
    ],
)  # fmt: skip
def test_unknown_stands_beside_the_other_tests_of_a_field(as_, asked, sql):
    total = as_("leader").get(f"/ledger/parcels/?{asked}").context["total"]["n"]
    assert total == one(f"SELECT count(*) AS n FROM parcels WHERE {sql}")["n"]


def test_a_saved_view_keeps_its_conditions(as_):
    client = as_("clerk")
    query = "term_end.max=2060-01-01&tenure=granted&tenure.empty=1"
    client.post("/ledger/parcels/save/", {"name": "将到期", "query": query})
    view = client.get("/ledger/parcels/").context["views"][0]
    held = {c.name: c for c in client.get(f"/ledger/parcels/?{view.query}").context["conditions"]}
    assert (held["term_end"].high, held["tenure"].chosen, held["tenure"].empty) == (
        "2060-01-01",
        ["granted"],
        "1",
    )


def test_counts_beside_the_choices_are_of_the_persons_own_land(cast):
    held = {c.name: c for c in filters.conditions(cast["clerk"], "parcels", QueryDict("add=tenure"))}
    counted = {v["id"]: v["n"] for v in held["tenure"].choices}
    sql = "SELECT tenure, count(*) AS n FROM parcels WHERE division = '430112' GROUP BY 1"
    assert counted == {r["tenure"]: r["n"] for r in rows(sql)}
    assert [v["id"] for v in held["division"].choices] == ["430112"]


def test_the_rows_ticked_are_exported_and_no_others(as_, ids):
    answer = as_("clerk").post("/ledger/parcels.csv", {"id": [*ids, FAR], "query": "col=name"})
    lines = content(answer).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ids
    assert as_("clerk").post("/ledger/parcels.csv", {"query": ""}).status_code == 400
    assert as_("clerk").post("/ledger/parcels.csv", {"id": FAR}).status_code == 404


def test_plans_of_the_rows_ticked_come_as_one_archive(as_, ids):
    client = as_("clerk")
    asked = {"what": "parcels", "ending": "docx", "id": [*ids, FAR]}
    client.post("/jobs/report/", asked)
    assert step()
    job = Job.objects.get()
    assert job.state == "done", job.fault
    archive = zipfile.ZipFile(io.BytesIO(content(client.get(f"/jobs/{job.pk}/file/"))))
    assert sorted(archive.namelist()) == sorted([*(f"{i}.docx" for i in ids), "清单.xlsx"])
    assert Trail.objects.get(what="report.ask").detail["asked"]["ids"] == ids
    assert as_("far_clerk").get(f"/jobs/{job.pk}/file/").status_code == 404
    assert client.post("/jobs/report/", {**asked, "id": FAR}).status_code == 404
    assert client.post("/jobs/report/", {**asked, "id": []}).status_code == 400
    assert client.post("/jobs/report/", {**asked, "ending": "exe"}).status_code == 400
    assert as_("consulted").post("/jobs/report/", asked).status_code == 403


def test_what_to_verify_is_listed_fact_by_fact_with_its_check(as_):
    client = as_("clerk")
    client.post("/jobs/report/", {"what": "checks", "all": "1", "query": "unknowns.empty=0"})
    assert step()
    job = Job.objects.get()
    assert job.state == "done", job.fault
    sheet = openpyxl.load_workbook(io.BytesIO(content(client.get(f"/jobs/{job.pk}/file/")))).active
    lines = list(sheet.iter_rows(min_row=2, values_only=True))
    sql = (
        "SELECT parcel_id, missing FROM findings JOIN parcels USING (parcel_id) "
        "WHERE status = 'unknown' AND division = '430112'"
    )
    wanted = {(r["parcel_id"], fact) for r in rows(sql) for fact in r["missing"].split(",")}
    assert {line[0] for line in lines} == {parcel for parcel, _ in wanted}
    assert len(lines) == len(wanted)
    assert {line[8] for line in lines} <= {"查权属", "验合同", "核文件", "察实地"}


def test_one_piece_of_evidence_corrects_several_rows_and_all_or_some_are_approved(as_, ids):
    client = as_("clerk")
    asked = {"id": [*ids, FAR], "field": "holder_group"}
    form = client.post("/ledger/parcels/correct/", asked).content.decode()
    assert all(f'name="id" value="{i}"' in form for i in ids)
    assert FAR not in form
    said = {"do": "propose", "value": "湘投", "evidence": "集团清单", "file": named(PDF, "清单.pdf")}
    client.post("/ledger/parcels/correct/", {**asked, **said})
    made = list(Correction.objects.order_by("pk"))
    assert [c.key for c in made] == ids
    assert len({f.digest for c in made for f in c.files.all()}) == 1
    first = made[0].pk
    line = as_("leader").get("/corrections/").context["lines"]
    assert [(c.pk, c.n) for c in line] == [(first, 3)]
    decide = f"/corrections/{first}/decide/"
    as_("leader").post(decide, {"do": "refuse", "reason": "不属集团", "id": [made[2].pk]})
    as_("leader").post(decide, {"do": "approve", "id": [c.pk for c in made[:2]]})
    assert [c.state for c in Correction.objects.order_by("pk")] == ["approved", "approved", "refused"]
    assert Job.objects.get().asked == {"corrections": [made[0].pk, made[1].pk]}
    assert Trail.objects.filter(what="correction.propose", subject__in=ids).count() == 3
    assert step()
    assert Job.objects.get().state == "done", Job.objects.get().fault


def test_all_that_the_conditions_find_stays_inside_the_land_and_the_limit(as_, cast, monkeypatch):
    keys = bulk.chosen(cast["clerk"], "contracts", QueryDict("all=1&query=division%3D43"), "correct")
    mine = rows("SELECT contract_no FROM contracts WHERE division = '430112'")
    assert sorted(keys) == sorted(r["contract_no"] for r in mine)
    monkeypatch.setitem(bulk.MOST, "publish", len(keys) - 1)
    assert as_("reviewer").post("/ledger/publish/", {"do": "publish", "all": "1"}).status_code == 400
    assert not Publication.objects.exists()


@pytest.mark.parametrize(
    "path, form",
    [
        ("/ledger/parcels/correct/", {"field": "holder"}),
        ("/ledger/parcels.xlsx", {}),
        ("/ledger/publish/", {"do": "publish"}),
        ("/jobs/report/", {"what": "checks"}),
    ],
)
def test_a_reader_acts_on_nothing(as_, ids, path, form):
    assert as_("consulted").post(path, {**form, "id": ids}).status_code == 403
    assert as_("far_clerk").post(path, {**form, "id": ids}).status_code in (403, 404)
    assert not list(chain(Trail.objects.all(), Job.objects.all()))


@pytest.mark.parametrize(
    "asked", ["", "area_m2.min=1", "sort=-area_m2", "sort=land_use", "q=GB", "findings.empty=1"]
)
def test_the_pages_of_a_list_are_the_whole_list_once(as_, monkeypatch, asked):
    """Also where the rows remembered when it was counted end in the midst of a page."""
    monkeypatch.setattr(query, "FIRST", 30)
    client = as_("leader")
    pages = [client.get(f"/ledger/parcels/?{asked}&size=20&page={n}").context["rows"] for n in range(1, 9)]
    listed = [row["parcel_id"] for page in pages for row in page]
    exported = client.get(f"/ledger/parcels.csv?{asked}").getvalue().decode("utf-8-sig").splitlines()[1:]
    assert listed == [line.split(",")[0] for line in exported]
    assert len(listed) > 30
    if "area_m2" in asked and "sort" in asked:
        areas = [row["area_m2"] for page in pages for row in page]
        assert areas == sorted(areas, reverse=True)
