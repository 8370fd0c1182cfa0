"""Imports over time: the same file again, a new vintage, two files of one parcel; corrections; exports and back."""

from datetime import date

import pyarrow as pa
import pytest
import shapely
from import_files import HEADERS, ROWS, SURVEY, layer, panhuo, squares, text, tree, xlsx  # noqa: F401

from panhuo.core.problems import PanhuoError
from panhuo.core.provenance import file_hash
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import Workspace


def parcels(root, **options):
    return Workspace.open(root).dataset("parcels", **options).sort_by("parcel_id").to_pylist()


def row(number, holder="甲公司"):
    return [f"430112001001GB{number:05d}", holder, "某路", 15, "100101", "出让", "2015-03-04"]


def test_the_same_file_twice_changes_nothing(panhuo, tmp_path):  # noqa: F811
    path = xlsx(tmp_path / "a.xlsx")
    first = panhuo("import", tmp_path / "ws", path, "--json").json
    before = tree(tmp_path / "ws")
    second = panhuo("import", tmp_path / "ws", path, "--json").json
    assert second["snapshot"] == first["snapshot"]
    assert [(e["taken"], e["unchanged"]) for e in second["imports"]] == [(2, 2)]
    assert tree(tmp_path / "ws") == before


def test_the_manifest_has_the_hash_of_every_file_taken_over_or_new(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", xlsx(tmp_path / "a.xlsx"))
    outcome = panhuo("import", tmp_path / "ws", layer(tmp_path / "redline.gpkg"), "--as", "layers/red_line")
    assert outcome.code == 0, outcome.err
    ws = Workspace.open(tmp_path / "ws")
    told = ws.manifest()["datasets"]
    assert set(told) == {"parcels", "layers/red_line", "problems"}
    assert told == {name: file_hash(ws.snapshot_dir() / f"{name}.parquet") for name in told}


def test_a_new_vintage_keeps_what_ended(panhuo, tmp_path):  # noqa: F811
    old, new = tmp_path / "2024", tmp_path / "2025"
    old.mkdir()
    new.mkdir()
    text(old / "台账.csv", rows=[row(1), row(2), row(3)])
    text(new / "台账.csv", rows=[row(1), row(2, "乙公司")])
    panhuo("import", tmp_path / "ws", old / "台账.csv", "--vintage", "2024-12-31")
    outcome = panhuo("import", tmp_path / "ws", new / "台账.csv", "--vintage", "2025-12-31", "--json")
    assert outcome.json["imports"][0]["unchanged"] == 1
    now = parcels(tmp_path / "ws")
    assert [(r["parcel_id"][-1], r["holder"], r["valid_from"].year) for r in now] == [
        ("1", "甲公司", 2024),
        ("2", "乙公司", 2025),
    ]
    past = [r for r in parcels(tmp_path / "ws", ended=True) if r["ended_on"]]
    assert [(r["parcel_id"][-1], r["holder"], r["ended_on"]) for r in past] == [
        ("2", "甲公司", date(2025, 12, 31)),
        ("3", "甲公司", date(2025, 12, 31)),
    ]


def test_another_file_of_the_same_name_ends_nothing(panhuo, tmp_path):  # noqa: F811
    for county, number in (("a", 1), ("b", 5)):
        (tmp_path / county).mkdir()
        panhuo("import", tmp_path / "ws", text(tmp_path / county / "台账.csv", rows=[row(number)]))
    assert len(parcels(tmp_path / "ws")) == 2


def test_replace_says_the_file_is_everything(panhuo, tmp_path):  # noqa: F811
    panhuo(
        "import", tmp_path / "ws", text(tmp_path / "a.csv", rows=[row(1), row(2)]), "--vintage", "2024-01-01"
    )
    panhuo(
        "import",
        tmp_path / "ws",
        text(tmp_path / "b.csv", rows=[row(2)]),
        "--replace",
        "--vintage",
        "2025-01-01",
    )
    assert [r["parcel_id"][-1] for r in parcels(tmp_path / "ws")] == ["2"]


def test_a_map_and_a_ledger_of_the_same_parcels_make_one_row_each(panhuo, tmp_path):  # noqa: F811
    drawn = layer(tmp_path / "图.gpkg")
    ledger = text(tmp_path / "账.csv", headers=["宗地代码", "坐落"], rows=[["001", "一路"], ["002", "二路"]])
    panhuo("import", tmp_path / "ws", drawn)
    panhuo("import", tmp_path / "ws", ledger)
    rows = parcels(tmp_path / "ws")
    assert [(r["address"], r["holder"], r["geometry"] is not None) for r in rows] == [
        ("一路", "单位1", True),
        ("二路", "单位2", True),
    ]
    assert rows[0]["source_file"] == "图.gpkg + 账.csv"


def test_a_snapshot_of_the_past_still_opens(panhuo, tmp_path):  # noqa: F811
    first = panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv", rows=[row(1)]), "--json").json[
        "snapshot"
    ]
    panhuo("import", tmp_path / "ws", text(tmp_path / "b.csv", rows=[row(2)]))
    assert len(parcels(tmp_path / "ws")) == 2
    assert len(parcels(tmp_path / "ws", snapshot=first)) == 1


def test_corrections_lie_over_a_snapshot_and_keep_their_evidence(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv", rows=[row(1), row(2)]))
    key = row(1)[0]
    notes = text(
        tmp_path / "更正.csv",
        headers=["数据集", "主键", "字段", "更正值", "证据", "更正人", "更正日期"],
        rows=[
            ["parcels", key, "area_m2", "9000", "现场测量", "张", "2026-01-01"],
            ["parcels", key, "area_m2", "9500.5", "复测", "李", "2026-02-01"],
        ],
    )
    outcome = panhuo("import", tmp_path / "ws", notes, "--json")
    assert outcome.json["imports"][0]["dataset"] == "corrections"
    assert [r["area_m2"] for r in parcels(tmp_path / "ws")] == [9500.5, 10_000.0]
    assert [r["area_m2"] for r in parcels(tmp_path / "ws", corrected=False)] == [10_000.0, 10_000.0]
    kept = Workspace.open(tmp_path / "ws").dataset("corrections").to_pylist()
    assert {r["evidence"] for r in kept} == {"现场测量", "复测"}


def test_a_correction_that_cannot_be_says_so(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv", rows=[row(1)]))
    notes = text(
        tmp_path / "更正.csv",
        headers=["数据集", "主键", "字段", "更正值", "证据", "更正日期"],
        rows=[["parcels", row(1)[0], "area_m2", "很大", "照片", "2026-01-01"]],
    )
    panhuo("import", tmp_path / "ws", notes)
    with pytest.raises(PanhuoError, match="更正值与字段类型不符"):
        parcels(tmp_path / "ws")


def test_a_fault_while_writing_leaves_the_last_good_state(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv"))
    ws = Workspace.open(tmp_path / "ws")
    before = tree(tmp_path / "ws")
    with pytest.raises(RuntimeError), ws.write_assessment("one") as folder:
        write_table(pa.table({"parcel_id": ["x"]}), folder / "findings.parquet")
        raise RuntimeError("power cut")
    assert ws.assessment("findings") is None
    assert {k: v for k, v in tree(tmp_path / "ws").items() if k != ".lock"} == {
        k: v for k, v in before.items() if k != ".lock"
    }
    with ws.write_assessment("one") as folder:
        write_table(pa.table({"parcel_id": ["x"]}), folder / "findings.parquet")
    assert ws.assessment("findings").num_rows == 1


def test_check_lists_problems_with_place_and_owner_worst_first(panhuo, tmp_path):  # noqa: F811
    rows = [row(1), [*row(2)[:4], "100101", "奇怪", "2015年"]]
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv", rows=rows))
    problems = panhuo("check", tmp_path / "ws", "--json").json["problems"]
    assert set(problems[0]) == {"type", "severity", "owner", "file", "row", "field", "value", "action"}
    found = {p["type"]: p for p in problems}
    assert (found["not_in_code_list"]["row"], found["not_in_code_list"]["value"]) == (3, "奇怪")
    assert (found["date_partial"]["row"], found["date_partial"]["field"]) == (3, "acquired_on")
    severities = [p["severity"] for p in problems]
    assert severities == sorted(severities, key=["error", "warning", "notice"].index)


def test_check_finds_references_to_nothing(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv", rows=[row(1)]))
    headers = ["合同编号", "宗地代码", "合同签订日期"]
    contracts = text(
        tmp_path / "c.csv",
        headers=headers,
        rows=[["H1", row(1)[0], "2016-01-01"], ["H2", "没有", "2016-01-01"]],
    )
    panhuo("import", tmp_path / "ws", contracts, "--as", "contracts")
    lost = [
        p
        for p in panhuo("check", tmp_path / "ws", "--json").json["problems"]
        if p["type"] == "reference_missing"
    ]
    assert [(p["field"], p["value"], p["row"]) for p in lost] == [("contracts.parcel_id", "没有", 3)]


@pytest.mark.parametrize("kind", ["gpkg", "geojson", "shp", "parquet", "txt", "xlsx"])
def test_what_is_exported_comes_back(panhuo, tmp_path, kind):  # noqa: F811
    survey = tmp_path / "界址点.txt"
    survey.write_bytes(SURVEY.format(area="0.96").encode("gbk"))
    panhuo("import", tmp_path / "ws", survey)
    out = tmp_path / f"out.{kind}"
    assert panhuo("export", tmp_path / "ws", "-o", out, "--json").json["layers"]
    outcome = panhuo("import", tmp_path / "back", out, "--json")
    assert outcome.code == 0, outcome.err
    assert "unmatched_column" not in outcome.json["imports"][0]["problems"]
    (one,), (two,) = parcels(tmp_path / "ws"), parcels(tmp_path / "back")
    same = ["parcel_id", "name", "area_m2", "land_use"]
    assert [two[k] for k in same] == [one[k] for k in same]
    if kind != "xlsx":
        gap = shapely.hausdorff_distance(shapely.from_wkb(one["geometry"]), shapely.from_wkb(two["geometry"]))
        assert gap < 2e-8


def test_parcels_are_exported_with_their_latest_findings(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv", rows=[row(1), row(2)]))
    ws = Workspace.open(tmp_path / "ws")
    with ws.write_assessment("a") as folder:
        findings = {"parcel_id": [row(1)[0]] * 3, "finding_id": ["idle_not_started", "low_far", "mortgaged"],
                    "status": ["yes", "yes", "unknown"]}  # fmt: skip
        write_table(pa.table(findings), folder / "findings.parquet")
    panhuo("export", tmp_path / "ws", "-o", tmp_path / "o.parquet")
    import pyarrow.parquet as pq

    rows = pq.read_table(tmp_path / "o.parquet").sort_by("parcel_id").to_pylist()
    assert [(r["findings"], r["findings_unknown"]) for r in rows] == [
        ("idle_not_started,low_far", "mortgaged"),
        (None, None),
    ]


def test_an_unknown_kind_of_export_is_refused(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv"))
    outcome = panhuo("export", tmp_path / "ws", "-o", tmp_path / "a.pdf")
    assert outcome.code == 2
    assert "gpkg" in outcome.err


@pytest.mark.parametrize("kind", ["layers/../../x", "layers", "layers/", "parcels/x", "nothing"])
def test_a_dataset_that_is_none_is_refused(panhuo, tmp_path, kind):  # noqa: F811
    outcome = panhuo("import", tmp_path / "ws", text(tmp_path / "a.csv"), "--as", kind)
    assert outcome.code == 2
    assert "parcels" in outcome.err
    assert not (tmp_path / "ws").exists()


def test_rows_without_an_id_get_one_that_stays(panhuo, tmp_path):  # noqa: F811
    rows = [["无", *row(1)[1:]], ["", *row(2)[1:]], ["", *row(2)[1:]]]
    path = text(tmp_path / "a.csv", rows=rows)
    outcome = panhuo("import", tmp_path / "ws", path, "--json")
    assert outcome.json["imports"][0]["problems"]["key_made"] == 3
    ids = [r["parcel_id"] for r in parcels(tmp_path / "ws")]
    assert len(set(ids)) == 3
    panhuo("import", tmp_path / "again", path)
    assert [r["parcel_id"] for r in parcels(tmp_path / "again")] == ids


def test_progress_is_told_in_rows_and_an_interrupt_leaves_the_last_good_state(panhuo, tmp_path):  # noqa: F811
    panhuo("import", tmp_path / "ws", layer(tmp_path / "a.gpkg", squares(2)))
    before = tree(tmp_path / "ws")
    told = []

    def stop(stage, done, total):
        told.append((stage.split()[-1], done, total))
        if stage.startswith("写入"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_files(tmp_path / "ws", [layer(tmp_path / "b.gpkg", squares(3))], Options(), tick=stop)
    assert tree(tmp_path / "ws") == before
    assert ("b.gpkg", 3, 3) in told and ("outlines", 3, 3) in told and ("writing", 0, 3) in told
    assert panhuo("import", tmp_path / "ws", tmp_path / "b.gpkg", "--json").json["imports"][0]["taken"] == 3
