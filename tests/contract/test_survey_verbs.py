"""`panhuo survey`: forms that a survey tool validates, exports as ODK Central and Kobo write them, and the totals."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from PIL import Image

from panhuo.core.problems import PanhuoError
from panhuo.inventory.intake import ImportRefusedError, Options
from panhuo.inventory.spec import code_list
from panhuo.inventory.survey_form import survey_forms
from panhuo.measure.space_uses import space_uses
from panhuo.rulebook.precedents import load_precedents
from panhuo.workspace.assess import assess
from panhuo.workspace.files import file_path
from panhuo.workspace.found_facts import facts_of_fields
from panhuo.workspace.imports import import_files
from panhuo.workspace.reports import report_checks
from panhuo.workspace.store import Workspace
from panhuo.workspace.survey_arrivals import take_visits
from panhuo.workspace.surveys import progress, spaces, to_visit, write_form

PARCELS = """宗地编号,名称,行政区,权利人,土地用途,面积（亩）,经度,纬度,上方构筑物,利用现状
P1,一号地,430112,甲公司,工业用地,30,112.80,28.36,,
P2,二号地,430112,乙公司,工业用地,40,112.81,28.36,,空闲
P3,三号桥下,430112,城管局,,,112.82,28.36,桥下,
"""
CONTRACTS = """合同编号,宗地编号,合同签订日期,约定开工日期,开工状态
K1,P1,2019-01-01,2020-01-01,未动工
K2,P2,2019-01-01,2020-01-01,
K3,P2,2021-01-01,2022-01-01,
"""
BUILDINGS = "建筑编号,宗地编号,建筑面积\nB1,P1,3000\n"
ODK = {
    "SubmissionDate": "2026-11-20T09:30:00.000Z",
    "panhuo_form": "site_visit",
    "parcel_id": "P1",
    "position-Latitude": "28.36",
    "position-Longitude": "112.8002",
    "position-Altitude": "51",
    "position-Accuracy": "6",
    "visited_on": "2026-11-20",
    "surveyor": "李四",
    "parcels-use_state": "vacant",
    "contracts-contract_no": "",
    "contracts-work_state": "suspended",
    "contracts-suspended_on": "2025-03-01",
    "contracts-works_done": "0.2",
    "buildings-building_floor_m2": "3000",
    "buildings-building_vacant_m2": "1,200",
    "photo_1": "1700000000001.jpg",
    "remark": "围墙内杂草",
    "KEY": "uuid:11111111-1111-4111-8111-111111111111",
    "SubmitterName": "app-user",
}


@pytest.fixture
def ws(tmp_path):
    root = tmp_path / "ws"
    files = []
    for name, text in (("parcels", PARCELS), ("contracts", CONTRACTS), ("buildings", BUILDINGS)):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text(text, encoding="utf-8")
    import_files(root, files, Options(place="430112"))
    return root


def picture(colour="green"):
    held = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(held, "JPEG")
    return held.getvalue()


def odk(path, *rows, media=None):
    """A zip as ODK Central exports it: the table, and `media/`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ODK)
    writer.writeheader()
    writer.writerows(ODK | row for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("panhuo_site_visit.csv", text.getvalue())
        for name in media if media is not None else {(ODK | row)["photo_1"] for row in rows} - {""}:
            archive.writestr(f"media/{name}", picture())
    return path


def kobo(path, *rows):
    """A workbook as Kobo exports it: groups by a slash, the position in one cell and in four, choices by code."""
    book = openpyxl.Workbook()
    heads = ["start", "panhuo_form", "is_new", "parcel_id", "position", "_position_latitude", "_position_longitude",
             "_position_altitude", "_position_precision", "visited_on", "surveyor", "parcels/name", "parcels/division",
             "parcels/structure_above", "parcels/space_use", "parcels/use_state", "parcels/area_m2", "photo_1",
             "photo_1_URL", "remark", "_id", "_uuid", "_submission_time", "__version__"]  # fmt: skip
    sheet = book.active
    sheet.append(heads)
    for row in rows:
        sheet.append([row.get(head) for head in heads])
    book.save(path)
    return path


def corrections(root):
    table = Workspace.open(root).dataset("corrections")
    return {(r["dataset"], r["key"], r["field"]): r for r in table.to_pylist()} if table else {}


def settle_to(root, dataset, key, value):
    rows = Workspace.open(root).dataset(dataset).to_pylist()
    return next(r for r in rows if r[key] == value)


@pytest.mark.parametrize("name", survey_forms())
@pytest.mark.parametrize("listed", [False, True])
def test_pyxform_makes_an_xform_of_every_form_without_a_warning(tmp_path, ws, name, listed):
    xls2xform = pytest.importorskip("pyxform.xls2xform")
    out = tmp_path / "form.xlsx"
    if listed:
        assess(Workspace.open(ws), as_of=date(2026, 11, 25))
    write_form(name, out, Workspace.open(ws) if listed else None)
    made = xls2xform.convert(str(out), validate=False)
    assert made.warnings == []
    for code in ("vacant", 'lang="English (en)"', 'default="true()"', "visited_on"):
        assert code in made.xform
    assert made.xform.count('mediatype="image/*"') == survey_forms()[name].photos_most
    assert ('src="jr://file-csv/parcels.csv"' in made.xform) == listed
    if listed:
        lines = list(csv.DictReader((tmp_path / "parcels.csv").open(encoding="utf-8")))
        shown = {"under_structure": {"P3"}, "site_visit": {"P1", "P2", "P3"}}[name]
        assert {line["name"] for line in lines} == shown
        assert ("P3", "三号桥下 P3") in {(line["name"], line["label"]) for line in lines}


def test_a_form_of_no_name_and_a_form_for_no_sheet_are_refused(tmp_path):
    with pytest.raises(PanhuoError, match="no such survey form") as fault:
        write_form("nothing", tmp_path / "x.xlsx")
    assert "site_visit" in fault.value.remedy
    with pytest.raises(PanhuoError, match="cannot write"):
        write_form("site_visit", tmp_path / "x.docx")


def test_an_odk_export_becomes_corrections_with_the_photograph_as_evidence(tmp_path, ws):
    before = pq.read_table(Workspace.open(ws).dataset_path("parcels"))
    told = take_visits(ws, odk(tmp_path / "export.zip", {}), approved_by="王五")
    assert (told["taken"], told["refused"], told["photos"], told["problems"]) == (1, 0, 1, [])
    said = corrections(ws)
    assert {k: r["value"] for k, r in said.items()} == {
        ("parcels", "P1", "use_state"): "vacant",
        ("contracts", "K1", "work_state"): "suspended",
        ("contracts", "K1", "suspended_on"): "2025-03-01",
        ("contracts", "K1", "works_done"): "0.2",
        ("contracts", "K1", "observed_on"): "2026-11-20",
        ("buildings", "B1", "vacant_m2"): "1200.0",
    }
    row = said[("parcels", "P1", "use_state")]
    assert (row["by"], row["on"]) == ("李四/王五", date(2026, 11, 20))
    assert "export.zip" in row["evidence"] and "围墙内杂草" in row["evidence"] and "±6 m" in row["evidence"]
    digest = row["evidence"].rsplit("files/", 1)[1]
    assert file_path(ws, digest).read_bytes() == picture()
    assert settle_to(ws, "contracts", "contract_no", "K1")["work_state"] == "suspended"
    assert pq.read_table(Workspace.open(ws).dataset_path("parcels")).equals(
        before
    )  # the snapshot is not edited
    visit = Workspace.open(ws).dataset("visits").to_pylist()[0]
    assert "floor_area_m2" not in visit["answered"]  # of one building, not of the land
    assert visit["distance_m"] == pytest.approx(19.6, abs=0.3)
    assert "work_state" in visit["answered"] and "building_vacant_m2" in visit["answered"]


def test_the_same_export_twice_is_taken_once(tmp_path, ws):
    file = odk(tmp_path / "a.zip", {})
    take_visits(ws, file, approved_by="王五")
    more = odk(tmp_path / "b.zip", {}, {"KEY": "uuid:2", "parcel_id": "P3", "contracts-work_state": ""})
    told = take_visits(ws, more, approved_by="王五")
    assert (told["known"], told["taken"]) == (1, 1)
    assert Workspace.open(ws).dataset("visits").num_rows == 2


@pytest.mark.parametrize(
    ("change", "problem", "field"),
    [
        ({"parcel_id": "P9"}, "visit_parcel_unknown", "parcel_id"),
        ({"parcels-use_state": "荒着"}, "visit_value", "use_state"),
        ({"contracts-works_done": "很多"}, "visit_value", "works_done"),
        ({"contracts-suspended_on": "2036-01-01"}, "visit_value", "suspended_on"),
        ({"surveyor": ""}, "required_missing", "surveyor"),
        ({"visited_on": "去年"}, "visit_value", "visited_on"),
        ({"parcel_id": "P2"}, "visit_row_unnamed", "contracts"),
        ({"parcel_id": "P2", "contracts-contract_no": "K9"}, "visit_row_unknown", "contracts"),
        ({"surveyor": "王五"}, "visit_own_approval", "surveyor"),
        ({"photo_1": "lost.jpg"}, "visit_photo_missing", "photos"),
        ({"position-Longitude": "9999"}, "visit_value", "lon"),
        ({"position-Latitude": "90.5"}, "visit_value", "lat"),
        ({"position-Accuracy": "-6"}, "visit_value", "accuracy_m"),
    ],
)
def test_a_submission_that_cannot_be_is_told_by_its_row_and_nothing_changes(
    tmp_path, ws, change, problem, field
):
    file = odk(tmp_path / "x.zip", {}, {"KEY": "uuid:2", **change}, media=[ODK["photo_1"]])
    before = Workspace.open(ws).snapshot
    with pytest.raises(ImportRefusedError) as fault:
        take_visits(ws, file, approved_by="王五")
    rows = [(r["type"], r["row"]) for r in fault.value.problems.to_pylist() if r["severity"] == "error"]
    assert (problem, 3) in rows and {row for _, row in rows} == {3}
    assert field in {r["field"] for r in fault.value.problems.to_pylist()}
    assert Workspace.open(ws).snapshot == before and corrections(ws) == {}
    told = take_visits(ws, file, approved_by="王五", accept_partial=True)
    assert (told["taken"], told["refused"]) == (1, 1)


def test_two_who_see_one_parcel_on_one_day_are_both_taken_and_the_later_row_holds(tmp_path, ws):
    later = {"KEY": "uuid:2", "surveyor": "赵六", "parcels-use_state": "open_storage"}
    told = take_visits(ws, odk(tmp_path / "x.zip", {}, later), approved_by="王五")
    assert told["taken"] == 2
    row = corrections(ws)[("parcels", "P1", "use_state")]
    assert (row["value"], row["by"]) == ("open_storage", "赵六/王五")
    assert "李四" in row["evidence"] and row["evidence"].count("files/") == 2


def test_rows_of_several_tables_in_one_zip_are_told_apart(tmp_path, ws):
    with (
        zipfile.ZipFile(odk(tmp_path / "a.zip", {"parcel_id": "P9"})) as one,
        zipfile.ZipFile(odk(tmp_path / "b.zip", {"KEY": "uuid:2"})) as other,
        zipfile.ZipFile(tmp_path / "both.zip", "w") as both,
    ):
        for name, archive in (("bad.csv", one), ("good.csv", other)):
            both.writestr(name, archive.read("panhuo_site_visit.csv"))
        both.writestr("media/" + ODK["photo_1"], picture())
    told = take_visits(ws, tmp_path / "both.zip", approved_by="王五", accept_partial=True)
    assert (told["submissions"], told["taken"], told["refused"]) == (2, 1, 1)
    assert [(p["file"], p["row"]) for p in told["problems"]] == [("both.zip/bad.csv", 2)]


def test_a_position_in_one_cell_that_is_none_is_told(tmp_path, ws):
    common = {"panhuo_form": "under_structure", "visited_on": "2026-11-21", "surveyor": "赵六", "parcel_id": "P3",
              "parcels/structure_above": "bridge", "parcels/space_use": "parking",
              "parcels/use_state": "in_use"}  # fmt: skip
    file = kobo(
        tmp_path / "kobo.xlsx",
        common | {"_uuid": "bb-1", "position": "28.36 9999 1 4"},
        common | {"_uuid": "bb-2", "position": "28.36 112.82"},
    )
    told = take_visits(ws, file, approved_by="王五", accept_partial=True)
    assert (told["taken"], told["refused"]) == (1, 1)
    assert ("visit_value", "lon", "9999") in {(p["type"], p["field"], p["value"]) for p in told["problems"]}
    assert Workspace.open(ws).dataset("visits")["accuracy_m"].to_pylist() == [None]


@pytest.mark.parametrize(("lon", "far"), [("112.8010", False), ("112.80105", False), ("112.8012", True)])
def test_a_position_is_doubted_beyond_the_forms_distance_and_its_own_accuracy(tmp_path, ws, lon, far):
    told = take_visits(ws, odk(tmp_path / "x.zip", {"position-Longitude": lon}), approved_by="王五")
    assert [p["type"] for p in told["problems"]] == (["visit_far"] if far else [])
    assert told["taken"] == 1
    assert progress(Workspace.open(ws))["surveyors"][0]["far"] == int(far)


def test_a_kobo_workbook_adds_a_space_that_is_not_on_record(tmp_path, ws):
    photos = tmp_path / "photos.zip"
    with zipfile.ZipFile(photos, "w") as archive:
        archive.writestr("panhuo/attachments/aa/bb-1/p.jpg", picture("red"))
        archive.writestr("panhuo/attachments/aa/bb-2/p.jpg", picture("blue"))
    common = {
        "panhuo_form": "under_structure", "position": "28.3601 112.83 40 5",
        "visited_on": "2026-11-21T00:00:00.000+08:00",
        "surveyor": "赵六", "parcels/structure_above": "bridge", "parcels/use_state": "in_use", "photo_1": "p.jpg",
    }  # fmt: skip
    file = kobo(
        tmp_path / "kobo.xlsx",
        common | {"_uuid": "bb-1", "is_new": "true", "parcels/name": "新桥下", "parcels/division": "430112",
                  "parcels/space_use": "parking", "parcels/area_m2": 800},
        common | {"_uuid": "bb-2", "is_new": "false", "parcel_id": "P3", "parcels/space_use": "运动场",
                  "position": "28.36 112.82 1 4"},
    )  # fmt: skip
    told = take_visits(ws, file, photos=photos, approved_by="王五")
    assert told["made"] == {"parcels": 1} and told["problems"] == []
    new = settle_to(ws, "parcels", "name", "新桥下")
    assert (new["lon"], new["lat"], new["space_use"], new["area_m2"]) == (112.83, 28.3601, "parking", 800.0)
    visits = {v["visit_id"]: v for v in Workspace.open(ws).dataset("visits").to_pylist()}
    assert visits["bb-1"]["parcel_id"] == new["parcel_id"]
    assert file_path(ws, visits["bb-2"]["files"]).read_bytes() == picture("blue")
    assert settle_to(ws, "parcels", "parcel_id", "P3")["space_use"] == "sports_park"
    uses = {r["use"]: r for r in progress(Workspace.open(ws))["uses"]}
    assert (uses["total"]["spaces"], uses["parking"]["spaces"], uses["sports_park"]["spaces"]) == (2, 1, 1)
    assert uses["total"]["rate"] == 1.0
    assert to_visit(Workspace.open(ws), "under_structure") == []


def test_what_is_as_recorded_is_no_correction_but_a_visit(tmp_path, ws):
    row = {"parcel_id": "P2", "contracts-work_state": "", "contracts-suspended_on": "", "contracts-works_done": "",
           "buildings-building_floor_m2": "", "buildings-building_vacant_m2": "",
           "position-Longitude": "112.81"}  # fmt: skip
    told = take_visits(ws, odk(tmp_path / "x.zip", row), approved_by="王五")
    assert (told["corrections"], told["taken"]) == (0, 1)
    assert Workspace.open(ws).dataset("visits")["answered"].to_pylist() == ["use_state"]


def test_a_file_that_holds_no_submissions_is_refused(tmp_path, ws):
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(PanhuoError, match="no submissions"):
        take_visits(ws, file, approved_by="王五")


def test_the_237_spaces_of_the_case_come_out_of_their_survey(tmp_path):
    """Case 5 publishes counts by use, no places. No count of 237 gives its 95.9 %, as the precedent notes."""
    stated = {f.id: f.stated.value for f in load_precedents()["case_05"].figures}
    named = {use: "sport_green" if use == "sports_park" else use for use in code_list("space_use")}
    counts = {use: int(stated[figure]) for use, figure in named.items()}
    total = int(stated["total"])
    root = tmp_path / "ws"
    start = tmp_path / "parcels.csv"
    start.write_text("宗地编号,名称,行政区,坐落,上方构筑物\nP0,起点,430105,某路,无\n", encoding="utf-8")
    import_files(root, [start], Options())
    uses = [use for use, n in counts.items() for _ in range(n)]
    file = kobo(
        tmp_path / "kobo.xlsx",
        *(
            {"panhuo_form": "under_structure", "is_new": "true", "_uuid": f"{i:012d}", "parcels/name": f"桥{i}",
             "position": f"28.2 {112.9 + i / 1000:.3f} 1 4", "visited_on": "2026-03-01", "surveyor": "测一",
             "parcels/division": "430105", "parcels/structure_above": "bridge", "parcels/space_use": use,
             "parcels/use_state": "in_use" if i < 8 else "vacant"}
            for i, use in enumerate(uses)
        ),
    )  # fmt: skip
    assert take_visits(root, file, approved_by="测二")["made"] == {"parcels": total}
    table = {r["use"]: r for r in space_uses(spaces(Workspace.open(root)))}
    assert {use: table[use]["spaces"] for use in counts} == counts
    assert table["total"]["spaces"] == total == sum(counts.values())
    assert table["total"]["rate"] == pytest.approx(8 / total)
    assert str(stated["use_rate"]) not in {f"{100 * n / total:.1f}" for n in range(total + 1)}


def test_the_command_says_it_as_json_and_ends_in_2_for_bad_rows(tmp_path, ws):
    def run(*words):
        command = [sys.executable, "-c", "from panhuo.cli import main; main()", "survey", *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
        )

    bad = run("take", ws, odk(tmp_path / "x.zip", {"parcel_id": "P9"}), "--approved-by", "王五", "--json")
    assert bad.returncode == 2
    assert json.loads(bad.stdout)["problems"][0]["type"] == "visit_parcel_unknown"
    good = run("take", ws, odk(tmp_path / "y.zip", {}), "--approved-by", "王五", "--json")
    assert good.returncode == 0 and json.loads(good.stdout)["taken"] == 1
    assert json.loads(run("progress", ws, "--json").stdout)["surveyors"][0]["visits"] == 1


def test_the_four_checks_list_what_is_open_and_what_a_visit_found_with_its_evidence(tmp_path, ws):
    assess(Workspace.open(ws), as_of=date(2026, 11, 25))
    out = tmp_path / "checks.xlsx"

    def lines():
        report_checks(Workspace.open(ws), out)
        rows = list(openpyxl.load_workbook(out).active.iter_rows(values_only=True))
        return {(r[0], r[9]): r for r in rows[1:]}

    before = lines()
    assert before[("P3", "利用现状")][8] == "察实地" and not before[("P3", "利用现状")][11]
    odk_row = {
        "parcel_id": "P3",
        "contracts-work_state": "",
        "position-Longitude": "112.82",
        "buildings-building_floor_m2": "",
        "buildings-building_vacant_m2": "",
    }
    take_visits(ws, odk(tmp_path / "x.zip", odk_row), approved_by="王五")
    counted = progress(Workspace.open(ws))["divisions"]
    assert counted[0]["found"] >= 1
    done = lines()[("P3", "利用现状")]
    assert done[11].startswith("空闲") and "files/" in done[11]
    assert done[12:] == ("李四/王五", "2026-11-20")
    assert to_visit(Workspace.open(ws), "site_visit")[0]["parcel_id"] != "P3"
    assess(Workspace.open(ws), as_of=date(2026, 11, 25))
    after = lines()
    assert after[("P3", "利用现状")][11].startswith("空闲")  # decided now, and still told with its evidence
    rows = progress(Workspace.open(ws))["divisions"]
    assert (rows[0]["visited"], rows[0]["flagged"] >= 2) == (1, True)
    assert (rows[0]["facts"], rows[0]["found"]) == (counted[0]["facts"], counted[0]["found"])


def test_the_floors_of_one_building_are_not_those_of_the_land():
    settles = facts_of_fields()
    assert settles[("buildings", "floor_area_m2")] == ("building_floor_m2", "building_count")
    assert settles[("parcels", "floor_area_m2")] == ("floor_area_m2",)
    assert ("occupancies", "area_m2") not in settles and ("batches", "area_m2") not in settles
    assert settles[("contracts", "work_state")] == ("work_state",)
