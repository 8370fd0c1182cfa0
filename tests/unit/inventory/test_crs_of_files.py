"""Which coordinate system a file is in."""

import numpy as np
import pyproj
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.inventory.codes import zone_of_division
from panhuo.inventory.crs import lonlat_transformer, place

# Control of the fact sheet: 28.2 N 112.97 E.
LONLAT = (112.97, 28.2)
PLAIN_38 = (398_871.912, 3_121_035.532)
ZONED_38 = (38_398_871.912, 3_121_035.532)


def box(east, north):
    return np.array([[east, north, east + 50, north + 40]])


def types(placing):
    return {p.type for p in placing.problems}


def test_the_control_point_agrees_with_the_fact_sheet():
    for epsg, (east, north) in {"EPSG:4547": PLAIN_38, "EPSG:4526": ZONED_38}.items():
        assert lonlat_transformer(epsg).transform(east, north) == pytest.approx(LONLAT, abs=1e-8)


@pytest.mark.parametrize(
    ("east", "north", "epsg"),
    [
        (*ZONED_38, "EPSG:4526"),
        (37_500_000.0, 3_100_000.0, "EPSG:4525"),
        (19_500_000.0, 3_100_000.0, "EPSG:4497"),
        (40_500_000.0, 3_350_000.0, "EPSG:4528"),
    ],
)
def test_the_zone_in_front_of_the_east_value_tells(east, north, epsg):
    placing = place(box(east, north), "", None, "f")
    assert (placing.epsg, placing.swap) == (epsg, False)
    assert types(placing) == {"crs_assumed"}


def test_swapped_axes_are_found():
    east, north = ZONED_38
    placing = place(box(north, east), "", None, "f")
    assert (placing.epsg, placing.swap) == ("EPSG:4526", True)
    assert "axes_swapped" in types(placing)


def test_degrees_are_cgcs2000_and_may_be_swapped():
    assert place(np.array([[112.9, 28.2, 113.0, 28.3]]), "", None, "f").epsg == "EPSG:4490"
    assert place(np.array([[28.2, 112.9, 28.3, 113.0]]), "", None, "f").swap


def test_what_the_file_says_is_taken_when_the_numbers_can_be_that():
    wkt = pyproj.CRS.from_epsg(4547).to_wkt("WKT1_ESRI")
    placing = place(box(*PLAIN_38), wkt, None, "f")
    assert placing.epsg == "EPSG:4547"
    assert types(placing) == {"crs_read"}


def test_a_file_that_says_degrees_over_metres_is_not_believed():
    placing = place(box(*ZONED_38), "EPSG:4326", None, "f")
    assert placing.epsg == "EPSG:4526"
    assert types(placing) == {"crs_assumed"}


def test_east_without_zone_needs_a_hint_or_is_refused():
    with pytest.raises(PanhuoError, match="坐标系无法判断"):
        place(box(*PLAIN_38), "", None, "f")
    assert place(box(*PLAIN_38), "", None, "f", zone_hint=zone_of_division("430112")).epsg == "EPSG:4547"
    assert place(box(*PLAIN_38), "", None, "f", zone_hint=zone_of_division("431200")).epsg == "EPSG:4546"


def test_the_user_wins_unless_it_cannot_be():
    with pytest.raises(PanhuoError, match="不可能是"):
        place(box(*ZONED_38), "", "EPSG:4547", "f")
    with pytest.raises(PanhuoError, match="不可能是"):
        place(box(*PLAIN_38), "", "EPSG:4490", "f")
    assert place(box(*PLAIN_38), "", "EPSG:4546", "f").epsg == "EPSG:4546"


def test_rows_of_two_zones_are_refused_with_their_places():
    both = np.concatenate([box(*ZONED_38), box(37_500_000.0, 3_100_000.0)])
    with pytest.raises(PanhuoError, match="多种坐标系") as fault:
        place(both, "EPSG:4526", None, "f.shp")
    assert "row" in fault.value.where


def test_an_unknown_code_is_refused():
    with pytest.raises(PanhuoError, match="坐标系不认识"):
        place(box(*PLAIN_38), "", "EPSG:999999", "f")
