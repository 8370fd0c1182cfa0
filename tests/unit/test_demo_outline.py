"""Drawn outlines keep the stated facts: area, neighbours, place, and the same drawing every time."""

import pytest
import shapely

from panhuo.rulebook.precedents import load_precedents
from panhuo.workspace.demo_outline import draw

CASES = load_precedents()


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=list(CASES))
def test_outlines_have_exactly_the_stated_area_and_hold_their_buildings(name, case):
    stated = {row["parcel_id"]: row["area_m2"] for row in case.rows("parcels") if row.get("area_m2")}
    home = {row["building_id"]: row["parcel_id"] for row in case.rows("buildings")}
    drawn = {}
    for drawing in draw(case):
        drawn |= drawing.parcels
        for building_id, shape in drawing.buildings.items():
            assert drawing.parcels[home[building_id]].buffer(0.01).covers(shape)
        shapes = list(drawing.buildings.values())
        assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes))
    assert set(drawn) == set(stated) - set(case.drawn.no_outline)
    for parcel_id, shape in drawn.items():
        assert shape.is_valid
        assert shape.area == pytest.approx(stated[parcel_id], abs=0.01)


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=list(CASES))
def test_neighbours_touch_and_nothing_else_does(name, case):
    touching = {frozenset(pair) for pair in case.drawn.touching}
    for drawing in draw(case):
        ids = list(drawing.parcels)
        for i, a in enumerate(ids):
            for b in ids[i + 1 :]:
                one, other = drawing.parcels[a], drawing.parcels[b]
                if frozenset((a, b)) in touching:
                    assert one.buffer(0.01).intersection(other).length > 10
                    assert one.intersection(other).area < 0.01
                else:
                    assert one.distance(other) > 1


def test_a_group_of_parcels_is_drawn_in_as_many_parts():
    outlines = {k: v for d in draw(CASES["case_01"]) for k, v in d.parcels.items()}
    assert len(outlines["c01-p1"].geoms) == 15
    assert len(outlines["c01-p3"].geoms) == 5


def test_the_drawing_is_the_same_every_time():
    first, second = draw(CASES["case_06"]), draw(CASES["case_06"])
    assert [shapely.to_wkb(list(d.parcels.values())).tolist() for d in first] == [
        shapely.to_wkb(list(d.parcels.values())).tolist() for d in second
    ]
