"""What a lot keeps to: who may publish it, whose it is by priority, land promised once, the law of its place."""

import json
from datetime import date

import pytest
import shapely
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from lots import lot_of, written
from test_public import body_of
from upload_files import PDF

from panhuo.core.problems import PanhuoError
from panhuo.site.market import acts, rules
from panhuo.site.market.models import Lot
from panhuo.site.market.shown import use_class
from panhuo.site.market.standard import indicators, start_by_law, starts
from panhuo.site.parcel.story import outlines, parcel_row
from panhuo.site.shelf import one

TODAY = timezone.localdate()


def test_whoever_wrote_any_version_does_not_publish_the_last(as_, cast, parcel_id):
    lot = lot_of(cast["clerk"], parcel_id)
    as_("reviewer").post(f"/lots/{lot.pk}/edit/", written(title="改过的地", seen=lot.version))
    assert Lot.objects.get().title == "改过的地"
    acts.submit(cast["clerk"], lot.pk)
    assert as_("reviewer").get(f"/lots/{lot.pk}/").context["is_writer"]
    with pytest.raises(PermissionDenied):
        acts.publish(cast["reviewer"], lot.pk, "x")
    acts.publish(cast["leader"], lot.pk, "x")


def test_what_is_published_is_what_was_reviewed(as_, cast, parcel_id):
    lot = lot_of(cast["clerk"], parcel_id, state="submitted")
    decide = {
        "do": "publish",
        "reason": "x",
        "seen": as_("leader").get(f"/lots/{lot.pk}/").context["lot"].version,
    }
    acts.withdraw(cast["clerk"], lot.pk, "改价")
    form = {"seen": Lot.objects.get().version}
    assert (
        as_("clerk").post(f"/lots/{lot.pk}/edit/", written(price="1", do="submit") | form).status_code == 302
    )
    as_("leader").post(f"/lots/{lot.pk}/decide/", decide)
    assert Lot.objects.get().state == "submitted"
    as_("leader").post(f"/lots/{lot.pk}/decide/", decide | {"seen": Lot.objects.get().version})
    assert Lot.objects.get().state == "published"


def test_a_form_left_open_does_not_undo_what_another_did_meanwhile(as_, cast, parcel_id):
    pk = lot_of(cast["clerk"], parcel_id).pk
    opened = as_("clerk").get(f"/lots/{pk}/edit/").context["seen"]
    as_("clerk").post(f"/lots/{pk}/edit/", written(title="先改的地", seen=opened))
    answer = as_("reviewer").post(f"/lots/{pk}/edit/", written(title="后改的地", seen=opened))
    assert answer.context["form"].non_field_errors()
    assert answer.context["seen"] == opened  # nor does pressing the button again
    assert Lot.objects.get().title == "先改的地"


def test_a_form_left_open_does_not_undo_a_settled_priority(cast, parcel_id):
    pk = lot_of(
        cast["clerk"], parcel_id, address="", priority="open", priority_holder="原厂", priority_until=TODAY
    ).pk
    stale = Lot.objects.get(pk=pk)
    seen = stale.version
    evidence = SimpleUploadedFile("声明.pdf", PDF)
    acts.settle_priority(cast["clerk"], pk, "waived", TODAY, "放弃声明", evidence)
    stale.title = "改过的地"
    parcel = parcel_row(cast["clerk"], parcel_id)
    with pytest.raises(PanhuoError):
        acts.draft(cast["clerk"], stale, parcel, seen=seen)
    lot = Lot.objects.get()
    lot.title = "改过的地"
    acts.draft(cast["clerk"], lot, parcel, seen=lot.version)
    lot = Lot.objects.get()
    assert (lot.title, lot.priority, lot.priority_on, lot.priority_note) == (
        "改过的地", "waived", TODAY, "放弃声明"
    )  # fmt: skip
    assert lot.priority_file is not None
    lot.priority_holder = "另一厂"
    acts.draft(cast["clerk"], lot, parcel, seen=lot.version)
    assert (lot.priority, lot.priority_on) == ("open", None)


@pytest.fixture
def two_buildings(monkeypatch):
    """Every parcel has two buildings: one half vacant, one of which only its floor is known."""
    held = [
        {"building_id": "B1", "floor_area_m2": 2000.0, "vacant_m2": 1000.0},
        {"building_id": "B2", "floor_area_m2": 500.0, "vacant_m2": None},
    ]
    monkeypatch.setattr(rules, "of_parcel", lambda dataset, _: held if dataset == "buildings" else [])
    return held


def plant(by, parcel_id, building, floor, **changes):
    return lot_of(
        by, parcel_id,
        **{"kind": "plant", "way": "lease_out", "building_id": building, "floor_area_m2": floor, "area_m2": None,
           "state": "submitted"} | changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("held", "offered", "refused"),
    [
        ([("B1", 1000)], ("", 500), False),
        ([("B1", 1000)], ("", 600), True),
        ([("", 1000)], ("B1", 500), False),
        ([("", 1000)], ("B1", 600), True),
        ([("", 400), ("B1", 600)], ("B2", 500), False),
        ([("", 500), ("B1", 600)], ("B2", 500), True),
        ([("B1", 1000)], ("B2", 500), False),
        ([("B1", 600)], ("B1", 500), True),
    ],
)
def test_floor_is_promised_once_whether_or_not_a_lot_names_its_building(
    cast, parcel_id, two_buildings, held, offered, refused
):
    for building, floor in held:
        plant(cast["clerk"], parcel_id, building, floor, state="published")
    lot = plant(cast["clerk"], parcel_id, *offered)
    if refused:
        with pytest.raises(PanhuoError) as fault:
            acts.publish(cast["leader"], lot.pk, "x")
        assert fault.value.where == "floor_area_m2"
    else:
        acts.publish(cast["leader"], lot.pk, "x")


def test_floor_of_no_named_building_is_no_more_than_all_of_them_have(as_, parcel_id, two_buildings):
    asked = written(way="lease_out", area_m2="", price_unit="yuan_per_m2_month", term_years="5")
    address = f"/lots/new/?parcel={parcel_id}&kind=plant"
    answer = as_("clerk").post(address, asked | {"floor_area_m2": "1520"})
    assert list(answer.context["form"].errors) == ["floor_area_m2"]
    assert as_("clerk").post(address, asked | {"floor_area_m2": "1500"}).status_code == 302


def test_a_building_is_measured_by_itself_where_another_is_not_known(cast, parcel_id, two_buildings):
    two_buildings[1]["floor_area_m2"] = None
    plant(cast["clerk"], parcel_id, "B1", 400, state="published")
    acts.publish(cast["leader"], plant(cast["clerk"], parcel_id, "B1", 600).pk, "x")
    with pytest.raises(PanhuoError):
        acts.publish(cast["leader"], plant(cast["clerk"], parcel_id, "", 1).pk, "x")


def test_a_way_that_asks_the_former_holder_first_names_it(as_, parcel_id):
    asked = written(way="storage_priority_lease", area_m2="", floor_area_m2="500", price="", price_unit="")
    address = f"/lots/new/?parcel={parcel_id}&kind=plant"
    assert list(as_("clerk").post(address, asked).context["form"].errors) == ["priority_holder"]
    asked |= {"priority_holder": "原厂", "priority_until": str(TODAY)}
    assert as_("clerk").post(address, asked).status_code == 302


@pytest.mark.parametrize(
    ("way", "holder", "free"),
    [
        ("split_transfer", None, False),
        ("lease_out", None, True),
        ("temporary_use", None, True),
        ("split_transfer", "91430112MA0000000X", True),
    ],
)
def test_land_that_was_transferred_is_taken_until_the_ledger_has_its_new_holder(
    cast, parcel_id, way, holder, free
):
    given = {"holder_uscc": holder} if holder else {}
    lot_of(cast["clerk"], parcel_id, state="concluded", way=way, supplied_on=TODAY, **given)
    lot = lot_of(cast["clerk"], parcel_id, state="submitted")
    if free:
        acts.publish(cast["leader"], lot.pk, "x")
    else:
        with pytest.raises(PanhuoError) as fault:
            acts.publish(cast["leader"], lot.pk, "x")
        assert fault.value.where == "area_m2"


def test_a_part_that_nobody_drew_is_not_shown_as_the_whole(as_, cast, parcel_id):
    whole = one("SELECT area_m2 FROM parcels WHERE parcel_id = ?", (parcel_id,))["area_m2"]
    client = as_("clerk")
    client.post(f"/lots/new/?parcel={parcel_id}", written(area_m2=str(whole)))
    lot = Lot.objects.get()
    assert lot.outline is not None
    client.post(f"/lots/{lot.pk}/edit/", written(area_m2=str(whole / 2), seen=lot.version))
    assert Lot.objects.get().outline is None
    land = shapely.from_wkb(outlines([parcel_id])[parcel_id])
    part = shapely.to_geojson(shapely.box(*land.bounds).centroid.buffer(1e-6))
    assert client.post(f"/lots/{lot.pk}/edit/", written(part=part, seen=lot.version)).status_code == 302
    assert (
        client.post(f"/lots/{lot.pk}/edit/", written(title="改过的地", seen=lot.version)).status_code == 302
    )
    assert Lot.objects.get().outline == json.loads(part)  # what was drawn stays


@pytest.mark.parametrize(("outside", "kept"), [(0.9, True), (1.1, False)])
def test_what_sticks_out_of_a_hands_drawing_is_cut_off_unless_it_is_most_of_it(as_, parcel_id, outside, kept):
    land = shapely.from_wkb(outlines([parcel_id])[parcel_id])
    square = shapely.box(*land.representative_point().buffer(1e-5).bounds)
    west, south, east, north = square.bounds
    edge = shapely.LineString([(west - 1, (south + north) / 2), ((west + east) / 2, (south + north) / 2)])
    border = max(x for x, _ in shapely.get_coordinates(shapely.intersection(land.boundary, edge)))
    width = east - west  # a square on the boundary, `outside` of its width beyond it for one within
    drawn = shapely.box(border - outside * width, south, border + width, north)
    answer = as_("clerk").post(f"/lots/new/?parcel={parcel_id}", written(part=shapely.to_geojson(drawn)))
    if not kept:
        assert answer.context["form"].errors["part"] == ["界线不在宗地之内"]
        return
    shown = shapely.from_geojson(json.dumps(Lot.objects.get().outline))
    assert shown.symmetric_difference(land & drawn).area < 1e-14


@pytest.mark.parametrize(
    "part",
    [
        '{"type": "FeatureCollection", "features": null}',
        '{"type": "FeatureCollection", "features": [1]}',
        "[]",
    ],
)
def test_what_is_no_outline_is_refused_clearly(as_, parcel_id, part):
    answer = as_("clerk").post(f"/lots/new/?parcel={parcel_id}", written(part=part))
    assert list(answer.context["form"].errors) == ["part"]


def test_land_is_promised_once(cast, parcel_id):
    whole = one("SELECT area_m2 FROM parcels WHERE parcel_id = ?", (parcel_id,))["area_m2"]
    for share, state in ((0.6, "submitted"), (0.4, "submitted"), (0.1, "submitted")):
        lot_of(cast["clerk"], parcel_id, area_m2=share * whole, state=state)
    first, second, third = Lot.objects.order_by("pk")
    acts.publish(cast["leader"], first.pk, "x")
    acts.publish(cast["leader"], second.pk, "x")
    with pytest.raises(PanhuoError) as fault:
        acts.publish(cast["leader"], third.pk, "x")
    assert fault.value.where == "area_m2"
    acts.withdraw(cast["clerk"], second.pk, "改期")
    acts.publish(cast["leader"], third.pk, "x")


def test_standard_land_is_published_with_the_law_of_its_place(as_, cast, parcel_id):
    lot = lot_of(cast["clerk"], parcel_id, way="standard_land", state="submitted")
    acts.publish(cast["leader"], lot.pk, "x")
    asked_for = {i["criterion"]: i["bar"] for i in Lot.objects.get().indicators}
    assert asked_for["investment_per_mu"] == 400  # 448 of Wangcheng
    assert (asked_for["tax_per_mu"], asked_for["revenue_per_mu"]) == (40, 800)
    assert {"far", "energy_per_output"} <= asked_for.keys()  # what 448 leaves to the national list
    page = body_of(Client().get(f"/market/{lot.pk}/"))
    assert "≥ 400 万元/亩" in page
    assert "受让人承诺" in page
    reader = Client()
    reader.cookies["django_language"] = "en"
    assert "≥ 4,000,000 yuan/mu" in body_of(reader.get(f"/market/{lot.pk}/"))
    elsewhere = {i["criterion"]: i["bar"] for i in indicators("430726", TODAY)}
    assert elsewhere["investment_per_mu"] != 400
    assert "revenue_per_mu" not in elsewhere


def test_the_ledgers_contract_of_the_parcel_tells_of_a_start_too(cast):
    held = one("SELECT * FROM contracts WHERE work_state = 'not_started' AND parcel_id LIKE '430112%'")
    elsewhere = one("SELECT parcel_id FROM parcels WHERE parcel_id <> ?", (held["parcel_id"],))["parcel_id"]
    own, other = (
        lot_of(
            cast["clerk"], parcel, state="concluded", contract_no=held["contract_no"], division="430112",
            supplied_on=date(2025, 1, 6), start_by=start_by_law(date(2025, 1, 6), "430112"),
        )
        for parcel in (held["parcel_id"], elsewhere)
    )  # fmt: skip
    found = starts([own, other], date(2026, 6, 1))
    assert found[own.pk]["state"] == "overdue"
    # another parcel's contract of that number tells nothing of it
    assert found[other.pk]["state"] == "unknown"


def test_only_what_was_on_offer_is_announced_as_withdrawn(cast, parcel_id, monkeypatch):
    told_of = []
    monkeypatch.setattr(acts, "announce", lambda name, _: told_of.append(name))
    for state in ("submitted", "published"):
        acts.withdraw(cast["clerk"], lot_of(cast["clerk"], parcel_id, state=state).pk, "改期")
    assert told_of == ["lot.withdrawn"]


@pytest.mark.parametrize(
    ("kind", "use", "scheme", "known"),
    [
        ("plot", "1001", "mnr_2023", "industrial"),
        ("plot", "0601", "gbt_21010_2017", "industrial"),
        ("plot", "0601", "mnr_2023", "agricultural"),
        ("plot", "0601", "", None),  # the schemes do not agree on what it is
        ("plot", "0602", "mnr_2023", "agricultural"),
        ("plot", "9999", "", None),
        ("plant", "plant", "", "industrial"),
        ("plant", "office", "", "commercial"),
        ("plant", "boiler_house", "", None),
        ("plant", "", "", None),
    ],
)
def test_a_use_is_of_a_class_only_where_no_scheme_says_otherwise(kind, use, scheme, known):
    assert use_class(kind, use, scheme) == known
