"""Real ledgers and layers, with their real faults. Skipped where the shared data is not beside the repository."""

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest
import shapely
from import_files import panhuo  # noqa: F401

from panhuo.workspace.store import Workspace

SHARED = Path(os.environ.get("PANHUO_SHARED", Path(__file__).parents[3] / "shared")) / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"shared data not found at {SHARED}")


def files(*patterns):
    return [p for pattern in patterns for p in sorted(SHARED.glob(pattern))]


def taken(outcome):
    assert outcome.code == 0, outcome.err
    rows, problems = {}, {}
    for entry in outcome.json["imports"]:
        assert entry["refused"] == 0
        rows[entry["dataset"]] = rows.get(entry["dataset"], 0) + entry["taken"]
        for kind, count in entry["problems"].items():
            problems[kind] = problems.get(kind, 0) + count
    return rows, problems


def test_supply_results_of_2005(panhuo, tmp_path):  # noqa: F811
    rows, problems = taken(panhuo("import", tmp_path / "ws", *files("cn_landchina_2005/raw/*.xls"), "--json"))
    assert rows == {
        "contracts": 7002,
        "parcels": 7002,
    }  # 3,761 + 3,158 + 61 + 26 less 4 repeated word for word
    assert problems["duplicate_row"] == 2 * 4
    assert problems["file_period"] == 1  # the file named 2005-06-31 holds contracts of July 2020
    assert problems["date_sentinel"] >= 40  # 1900-01-01 and 1901-01-02
    found = Workspace.open(tmp_path / "ws").dataset("parcels").filter(pc.field("division") == "431022")
    assert "城关镇清水村" in found["address"].to_pylist()


def test_supply_results_of_2007(panhuo, tmp_path):  # noqa: F811
    rows, problems = taken(panhuo("import", tmp_path / "ws", *files("cn_landchina_2007/raw/*.xls"), "--json"))
    assert rows["contracts"] == rows["parcels"] >= 90
    assert "not_a_number" not in problems  # Nah is unknown, not a fault
    assert problems["date_sentinel"] >= 14


def test_supply_results_of_2017_with_their_swapped_and_mislabelled_columns(panhuo, tmp_path):  # noqa: F811
    paths = files("cn_landchina_2017/split/*.xlsx", "cn_landchina_2017/raw/supply*.xls")
    rows, problems = taken(panhuo("import", tmp_path / "ws", *paths, "--json"))
    assert rows == {"contracts": 3050 + 323, "parcels": 3050 + 323}
    assert problems["swapped_columns"] == 2  # 约定容积率(上限) holds the lower bounds
    assert problems["mislabelled_column"] == 2  # 土地来源 holds areas
    assert problems["finish_before_start"] == 2
    ws = Workspace.open(tmp_path / "ws")
    parcels, contracts = ws.dataset("parcels"), ws.dataset("contracts")
    assert pc.sum(pc.greater(parcels["far_planned_min"], parcels["far_planned_max"])).as_py() <= 2
    assert contracts["work_state"].null_count == contracts.num_rows  # nothing says whether work began
    assert pc.all(pc.is_in(contracts["parcel_id"], parcels["parcel_id"].combine_chunks())).as_py()
    # The 86 rows whose detail is blank are filled from the list, whose 总面积 is in hectares too.
    assert pc.max(parcels["area_m2"]).as_py() == pytest.approx(3_285_684, abs=1)
    assert pc.sum(pc.less(parcels["area_m2"], 1)).as_py() == 0
    assert pc.sum(pc.equal(parcels["tenure"], "allocated")).as_py() > 900


def test_transfers_and_the_results_of_2019(panhuo, tmp_path):  # noqa: F811
    rows, _ = taken(
        panhuo("import", tmp_path / "a", *files("cn_landchina_2017/raw/secondary*.xls"), "--json")
    )
    assert rows["parcels"] == 395
    rows, _ = taken(panhuo("import", tmp_path / "b", *files("cn_landchina_mixed_2019/jieguo*.txt"), "--json"))
    assert rows == {"contracts": 30, "parcels": 30}
    rows, problems = taken(
        panhuo("import", tmp_path / "c", *files("cn_landchina_mixed_2019/concat*.txt"), "--json")
    )
    assert rows == {"contracts": 31, "parcels": 88}
    assert problems["joined_records"] == 1  # an announcement of 桐乡 beside a result of 萧县
    outcome = panhuo("import", tmp_path / "d", *files("cn_landchina_mixed_2019/churang*.txt"))
    assert outcome.code == 2
    assert "空文件" in outcome.err


def test_the_survey_file(panhuo, tmp_path):  # noqa: F811
    outcome = panhuo("import", tmp_path / "ws", *files("cn_survey_txt/*.txt"), "--json")
    assert outcome.json["imports"][0]["crs"] == "EPSG:4528"
    (row,) = Workspace.open(tmp_path / "ws").dataset("parcels").to_pylist()
    assert row["drawn_area_m2"] == pytest.approx(57_089.5, abs=1)
    middle = shapely.centroid(shapely.from_wkb(row["geometry"]))
    assert (middle.x, middle.y) == pytest.approx((120.2167, 30.2987), abs=0.002)


def test_the_boundaries_of_hunan(panhuo, tmp_path):  # noqa: F811
    outcome = panhuo("import", tmp_path / "ws", *files("cn_boundaries_hunan/*.gpkg"), "--json")
    rows, problems = taken(outcome)
    assert rows == {"layers/boundaries": 137}
    assert problems["crs_suspect"] == 1  # GCJ-02 by its name
    rows, _ = taken(
        panhuo("import", tmp_path / "b", *files("cn_boundaries_hunan/datav/430000.json"), "--json")
    )
    assert rows == {"layers/boundaries": 14}
    rows, _ = taken(
        panhuo("import", tmp_path / "c", *files("cn_boundaries_hunan/cnmaps/43010*.geojson"), "--json")
    )
    assert rows == {"layers/boundaries": 5}


def test_easthampton_parcels_and_assessor_roll_meet(panhuo, tmp_path):  # noqa: F811
    paths = files("us_easthampton_parcels/easthampton.gpkg", "us_easthampton_parcels/M087Assess.csv")
    rows, problems = taken(panhuo("import", tmp_path / "ws", *paths, "--json"))
    assert rows["layers/easements"] == 232
    assert rows["buildings"] == 6366
    assert problems["date_future"] == 2  # 2071 and 2987
    parcels = Workspace.open(tmp_path / "ws").dataset("parcels").filter(pc.field("geometry").is_valid())
    assert parcels.num_rows == 5948
    both = parcels.filter(pc.field("holder").is_valid())
    assert both.num_rows > 5_800
    ratio = pc.divide(both["area_m2"], both["drawn_area_m2"])
    assert pc.quantile(ratio, 0.5)[0].as_py() == pytest.approx(1, abs=0.01)


def test_foreign_layers(panhuo, tmp_path):  # noqa: F811
    rows, problems = taken(
        panhuo(
            "import",
            tmp_path / "a",
            *files("us_hillside_parcels_dem/parcels.shp"),
            "--as",
            "parcels",
            "--json",
        )
    )
    assert rows == {"parcels": 109}
    assert problems["geometry_duplicate"] > 37
    rows, problems = taken(
        panhuo("import", tmp_path / "b", *files("us_tahoe_zoning/zoning_gis.geojson"), "--json")
    )
    assert rows == {"layers/zoning": 269}
    assert problems["geometry_mended"] == 37
    rows, _ = taken(
        panhuo("import", tmp_path / "c", *files("us_nyc_astoria_lots/*.geojson"), "--as", "parcels", "--json")
    )
    assert rows == {"parcels": 2196}
    rows, _ = taken(panhuo("import", tmp_path / "d", *files("uk_brownfield/councils/*eng-a*.csv"), "--json"))
    assert rows["parcels"] > 100
