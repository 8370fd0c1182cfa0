"""A correction: evidence in a file, a second person who sees it, one or many at once, inside one's own land."""

from datetime import date

import pytest
from upload_files import PDF, named, picture

from panhuo.site.accounts.models import Trail
from panhuo.site.corrections import values
from panhuo.site.corrections.models import Correction
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.work import step
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import one, rows, shelf


def said(**changes):
    files = [named(PDF, "登记簿.pdf"), named(picture(), "现场.png")]
    return {
        "do": "propose",
        "field": "holder",
        "value": "新公司",
        "evidence": "登记簿",
        "file": files,
    } | changes


@pytest.fixture
def proposed(as_, parcel_id):
    as_("clerk").post(f"/correct/parcels/{parcel_id}/", said())
    return Correction.objects.get()


@pytest.mark.parametrize(
    "lacking",
    [
        {"evidence": " "},
        {"file": []},
        {"file": [named(PDF, "a.exe")]},
        {"file": [named(b"MZ no picture", "a.png")]},
        {"file": [named(picture(), "a.jpg")]},
        {"file": [named(picture(), "a.pdf")]},
        {"file": [named(b"", "a.txt")]},
        {"file": [named(PDF, "a.pdf"), named(b"", "a.txt")]},
        {"field": "parcel_id"},
        {"field": "geometry"},
        {"field": "area_m2", "value": "much"},
        {"field": "area_m2", "value": "-1"},
        {"field": "area_m2", "value": "nan"},
        {"field": "term_end", "value": "2020"},
        {"field": "tenure", "value": "bought"},
        {"field": "legacy", "value": "maybe"},
        {"field": "holder_uscc", "value": "914300000000000000"},
        {"field": "division", "value": "430424"},
        {"field": "division", "value": "430112"},
    ],
)
def test_what_is_no_evidence_or_no_value_is_refused_with_nothing_kept(as_, parcel_id, lacking):
    answer = as_("clerk").post(f"/correct/parcels/{parcel_id}/", said(**lacking))
    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode()
    assert not Correction.objects.exists()
    assert not Attachment.objects.exists()
    assert not Trail.objects.exists()


def test_the_second_person_sees_the_evidence_and_decides_once(as_, proposed):
    page = as_("leader").get(f"/corrections/{proposed.pk}/")
    shown = page.content.decode()
    for file in proposed.files.all():
        assert f'src="/file/{file.pk}/"' in shown
        answer = as_("leader").get(f"/file/{file.pk}/")
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert b"".join(answer.streaming_content) in (PDF, picture())
        assert as_("far_clerk").get(f"/file/{file.pk}/").status_code == 404
    decide = f"/corrections/{proposed.pk}/decide/"
    as_("leader").post(decide, {"do": "refuse"})
    assert Correction.objects.get().state == "proposed"
    as_("leader").post(decide, {"do": "approve"})
    as_("reviewer").post(decide, {"do": "refuse", "reason": "late"})
    assert Correction.objects.get().state == "approved"
    assert Job.objects.get().kind == "correct"
    assert Trail.objects.filter(what="correction.approve", subject=proposed.key).count() == 1


def test_the_proposer_cannot_decide(as_, parcel_id):
    as_("reviewer").post(f"/correct/parcels/{parcel_id}/", said())
    pk = Correction.objects.get().pk
    assert as_("reviewer").post(f"/corrections/{pk}/decide/", {"do": "approve"}).status_code == 403
    assert "须由另一人审核" in as_("reviewer").get(f"/corrections/{pk}/").content.decode()


def test_a_refusal_keeps_its_reason_on_the_trail(as_, proposed):
    as_("leader").post(f"/corrections/{proposed.pk}/decide/", {"do": "refuse", "reason": "证据不清"})
    assert "证据不清" in as_("clerk").get(f"/corrections/{proposed.pk}/").content.decode()
    assert Trail.objects.get(what="correction.refuse").detail["reason"] == "证据不清"
    assert not Job.objects.exists()


@pytest.mark.parametrize("dataset", ["parcels", "enterprises", "contracts"])
def test_an_approved_value_is_laid_over_the_record_with_its_files_named(as_, dataset):
    key, field, value, stored = {
        "parcels": ("parcel_id", "term_end", "2071-02-03", date(2071, 2, 3)),
        "enterprises": ("enterprise_id || '|' || year", "tax_wan", "1,234.5", 1234.5),
        "contracts": ("contract_no", "work_state", "suspended", "suspended"),
    }[dataset]
    found = one(f"SELECT {key} AS key FROM {dataset} WHERE division = '430121' ORDER BY 1 DESC")["key"]
    as_("reviewer").post(f"/correct/{dataset}/{found}/", said(field=field, value=value))
    held = Correction.objects.get()
    as_("leader").post(f"/corrections/{held.pk}/decide/", {"do": "approve"})
    assert step()
    assert Job.objects.get().state == "done", Job.objects.get().fault
    shelf().follow()
    assert one(f"SELECT {field} AS v FROM {dataset} WHERE {key} = ?", (found,))["v"] == stored
    kept = rows("SELECT evidence FROM corrections WHERE key = ?", (found,))[0]["evidence"]
    assert all(f"files/{file.digest}" in kept for file in held.files.all())


def test_the_form_offers_a_control_that_fits_the_field(as_, parcel_id, cast):
    part = (
        as_("clerk")
        .get(f"/correct/parcels/{parcel_id}/?field=tenure", headers={"HX-Request": "true"})
        .content.decode()
    )
    assert '<option value="granted"' in part
    assert "<html" not in part
    assert values.control(cast["clerk"], "parcels", "term_end")["kind"] == "date"
    offered = {code for code, _ in values.control(cast["clerk"], "parcels", "division")["choices"]}
    assert offered == {"430112"}


def test_an_enterprises_file_keeps_to_the_enterprises_gate(as_):
    firm = one("SELECT enterprise_id AS id FROM enterprises WHERE division = '430112'")["id"]
    as_("clerk").post(f"/enterprise/{firm}/attach/", {"file": named(PDF, "a.pdf")})
    pk = Attachment.objects.get().pk
    assert as_("clerk").get(f"/file/{pk}/").status_code == 200
    assert as_("far_clerk").get(f"/file/{pk}/").status_code == 404
