"""Overlay areas against GEOS on polygons of every awkward kind."""

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.inventory.overlay import overlay, prepare_layer

PLANE = "EPSG:4547"


def table(shapes):
    return pa.table(
        {
            "parcel_id": [str(i) for i in range(len(shapes))],
            "geometry": pa.array(shapely.to_wkb(np.array(shapes, dtype=object)), pa.binary()),
        }
    )


# Whole metres make edges touch, overlap and pass through one another's corners all the time.
corner = st.tuples(st.integers(0, 12), st.integers(0, 12))


@st.composite
def polygon(draw):
    hull = shapely.convex_hull(
        shapely.MultiPoint(draw(st.lists(corner, min_size=3, max_size=7, unique=True)))
    )
    bite = shapely.box(*sorted(draw(corner)), *sorted((12 + x for x in draw(corner)), reverse=True))
    shape = shapely.difference(hull, bite) if draw(st.booleans()) else hull
    if draw(st.booleans()):
        shape = shapely.difference(shape, shapely.box(4, 4, 5, 6.5))
    return shape


def polygons(most):
    usable = polygon().filter(lambda p: p.geom_type in {"Polygon", "MultiPolygon"} and p.area > 0)
    return st.lists(usable, min_size=1, max_size=most)


@settings(max_examples=150, deadline=None)
@given(polygons(6), polygons(6), st.floats(-3e6, 3e6))
def test_equals_the_intersection_with_the_union(parcels, layer, shift):
    parcels = [shapely.transform(p, lambda xy: xy + shift) for p in parcels]
    layer = [shapely.transform(p, lambda xy: xy + shift) for p in layer]
    expected = shapely.area(shapely.intersection(np.array(parcels), shapely.union_all(layer)))
    result = overlay(table(parcels), prepare_layer(table(layer), "any", crs=PLANE), sliver_m2=0.0)
    assert result.areas["parcel_id"].to_pylist() == [str(i) for i in range(len(parcels))]
    np.testing.assert_allclose(result.areas["area_m2"], expected, atol=1e-6)
    np.testing.assert_allclose(result.areas["share"], expected / shapely.area(parcels), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 400), st.integers(3, 400))
def test_rough_outlines_of_any_size(seed, corners, layer_corners):
    rng = np.random.default_rng(seed)

    def star(n, radius):
        angle = np.sort(rng.uniform(0, 2 * np.pi, n))
        reach = radius * rng.uniform(0.5, 1.0, (n, 1))
        return shapely.make_valid(
            shapely.Polygon(5e5 + np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach)
        )

    parcels = [star(corners, 10.0 ** rng.uniform(1, 4)) for _ in range(5)]
    layer = [star(layer_corners, 3000.0)]
    expected = shapely.area(shapely.intersection(np.array(parcels), layer[0]))
    result = overlay(table(parcels), prepare_layer(table(layer), "any", crs=PLANE), sliver_m2=0.0)
    np.testing.assert_allclose(result.areas["area_m2"], expected, rtol=1e-6, atol=1e-5)
