import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from panhuo.inventory.split import SplitRules, split_polygon

EAST, NORTH = 395_000.0, 3_120_000.0


@st.composite
def outlines(draw) -> shapely.Polygon:
    """A convex parcel of a few hectares, perhaps with a yard let into it."""
    count = draw(st.integers(4, 9))
    angles = np.sort(draw(st.lists(st.floats(0, 2 * np.pi), min_size=count, max_size=count, unique=True)))
    stretch, turn = draw(st.floats(1, 3)), draw(st.floats(0, np.pi))
    points = np.column_stack([150 * stretch * np.cos(angles), 150 * np.sin(angles)])
    shape = shapely.affinity.rotate(shapely.Polygon(points), turn, use_radians=True)
    assume(shape.is_valid and shape.area > 20_000)
    if draw(st.booleans()):
        shape = shape.difference(shapely.box(-20, -20, 20, 20))
    assume(shape.geom_type == "Polygon")
    return shapely.affinity.translate(shape, EAST, NORTH)


SHARES = st.lists(st.integers(10, 100), min_size=2, max_size=3)


@settings(max_examples=25, deadline=None)
@given(parent=outlines(), areas=SHARES)
def test_parts_cover_the_parent_without_overlap_in_the_asked_shares(parent, areas) -> None:
    for proposal in split_polygon(parent, areas, SplitRules(100, 1, 1)):
        parts = [part.outline for part in proposal.parts]
        assert len(parts) == len(areas)
        assert abs(sum(p.area for p in parts) - parent.area) < 0.01
        assert shapely.union_all(parts).symmetric_difference(parent).area < 0.01
        for i, one in enumerate(parts):
            assert one.geom_type == "Polygon"
            assert one.is_valid
            assert abs(one.area - parent.area * areas[i] / sum(areas)) < 0.01
            for two in parts[i + 1 :]:
                assert one.intersection(two).area < 1e-6


@settings(max_examples=15, deadline=None)
@given(parent=outlines(), areas=SHARES)
def test_a_part_without_access_is_never_passed_off_as_sound(parent, areas) -> None:
    west, south, east, _ = parent.bounds
    road = shapely.LineString([(west - 50, south), (east + 50, south)])
    for proposal in split_polygon(parent, areas, SplitRules(100, 1, 8), roads=road):
        for part in proposal.parts:
            near = part.outline.boundary.intersection(road.buffer(5)).length
            assert (near < 8) == ("frontage_min" in part.broken)
