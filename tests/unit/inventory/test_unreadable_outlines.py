"""An outline with a coordinate that is no number: named in a problem row at every door, the rest computed."""

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from panhuo.inventory.conflicts import conflicts
from panhuo.inventory.overlay import overlay, prepare_layer
from panhuo.inventory.siting import SitingRules, siting
from panhuo.inventory.spatial_facts import spatial_facts
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.parquet import geo_metadata
from panhuo.workspace.store import Workspace

PLOT, BESIDE = shapely.box(112.9, 28.2, 112.901, 28.201), shapely.box(112.9005, 28.2, 112.9015, 28.201)
METRES = shapely.box(395_000, 3_120_000, 395_100, 3_120_100)


def ring_wkb(*rings: np.ndarray) -> bytes:
    body = b"".join(struct.pack("<I", len(r)) + np.asarray(r, "<f8").tobytes() for r in rings)
    return struct.pack("<BII", 1, 3, len(rings)) + body


def spoilt(value: float, at: int = 1) -> np.ndarray:
    xy = shapely.get_coordinates(PLOT)
    xy[at, 0] = value
    return xy


HOLE = np.array([[112.9002, 28.2002], [np.nan, 28.2003], [112.9003, 28.2004], [112.9002, 28.2002]])
BAD = {
    "one corner": ring_wkb(spoilt(np.nan)),
    "an open end": ring_wkb(spoilt(np.nan, at=0)),
    "infinite": ring_wkb(spoilt(np.inf)),
    "in a hole": ring_wkb(shapely.get_coordinates(PLOT), HOLE),
    "in a second piece": struct.pack("<BII", 1, 6, 2) + shapely.to_wkb(PLOT) + ring_wkb(spoilt(np.nan)),
    "broken bytes": shapely.to_wkb(PLOT)[:-9],
}


def table(*shapes: bytes | shapely.Geometry) -> pa.Table:
    wkb = [s if isinstance(s, bytes) else shapely.to_wkb(s) for s in shapes]
    return pa.table({"parcel_id": [f"p{i}" for i in range(len(wkb))], "geometry": pa.array(wkb, pa.binary())})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_the_computing_doors_name_it_and_go_on(bad: bytes) -> None:
    parcels = table(bad, PLOT, BESIDE)
    one = [("geometry_unreadable", 1)]

    laid = overlay(parcels, prepare_layer(table(PLOT), "zoning"))
    assert laid.areas["share"].to_pylist() == [None, pytest.approx(1), pytest.approx(0.5)]
    assert [(p.type, p.row) for p in laid.problems] == one

    layer = prepare_layer(table(bad, PLOT), "zoning")
    assert [(p.type, p.row) for p in layer.problems] == one
    assert overlay(table(PLOT), layer).areas["share"].to_pylist() == [pytest.approx(1)]

    found, problems = conflicts(parcels)
    assert [(r["parcel_id"], r["other_id"]) for r in found.to_pylist()] == [("p1", "p2")]
    assert [(p.type, p.row) for p in problems] == one

    facts, problems = spatial_facts(parcels, {"permanent_farmland": table(PLOT)})
    assert [v is None for v in facts["conflict_m2"].to_pylist()] == [True, False, False]
    assert [v is None for v in facts["permanent_farmland_m2"].to_pylist()] == [True, False, False]
    assert [(p.type, p.row) for p in problems] == one


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dataset", ["parcels", "layers/zoning"])
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_the_import_takes_the_row_without_its_outline_and_says_so(
    bad: bytes, dataset: str, tmp_path: Path
) -> None:
    file = tmp_path / "made.parquet"
    pq.write_table(table(bad, PLOT).replace_schema_metadata({b"geo": geo_metadata()}), file)
    report = import_files(tmp_path / "ws", [file], Options(dataset), lambda text: None)
    assert report["imports"][0]["problems"]["geometry_unreadable"] == 1
    held = Workspace.open(tmp_path / "ws").dataset(dataset)
    assert held is not None
    assert held["geometry"].null_count == 1


@pytest.mark.parametrize("layer", [METRES, BAD["one corner"]], ids=["metres", "no number"])
def test_a_layer_of_which_nothing_can_be_read_is_unknown_not_far_away(
    layer: bytes | shapely.Geometry,
) -> None:
    facts, problems = spatial_facts(table(PLOT), {"roads": table(layer)})
    assert facts["has_road_access"].to_pylist() == [None]
    assert [p.row for p in problems] == [1]
    told, problems = siting(table(PLOT), {"water": table(layer)}, SitingRules(water_min_m=200))
    assert told.screen["status"].to_pylist() == ["unknown"]
    assert "layer_missing" in [p.type for p in problems]
