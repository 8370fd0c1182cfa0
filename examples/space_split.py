"""The plot of 228 亩 of case 9 split into 28, 102 and 98 亩: three proposals and the boundary-point files of the best.

The case publishes areas, not the outline: the outline here is drawn to exactly 228 亩.

    python examples/space_split.py OUT
"""

import sys
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import pyarrow.compute as pc
import pyogrio
import shapely
from space_common import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    SAND,
    ZONE,
    degrees,
    draw,
    label,
    metres,
    plan,
    save,
    table,
)

from panhuo.core.units import m2_to_mu, mu_to_m2
from panhuo.inventory.boundary_dxf import boundary_dxf
from panhuo.inventory.boundary_txt import Plot, boundary_txt
from panhuo.inventory.geometry import to_plane
from panhuo.inventory.split import SplitRules, split_parcel
from panhuo.rulebook.book import Rulebook

CODE = "430211001001GB00007"
AREAS_MU = (28, 102, 98)
ROADS = [
    shapely.LineString([(-40, -4), (560, -4)]),
    shapely.LineString([(-4, -40), (-4, 380)]),
]
WORKSHOPS = [shapely.box(30, 30, 120, 80), shapely.box(30, 100, 90, 150)]


def plot() -> shapely.Polygon:
    """A plot of exactly 228 亩."""
    rough = shapely.Polygon([(0, 0), (480, 0), (500, 200), (430, 330), (0, 310)])
    scale = (mu_to_m2(sum(AREAS_MU)) / rough.area) ** 0.5
    return shapely.affinity.scale(rough, scale, scale, origin=(0, 0))


def main() -> None:
    law, on = Rulebook.load(), date(2024, 6, 1)
    rules = SplitRules(
        law.parameter("land_form.split_min_m2", on).value,
        law.parameter("parcel_split.width_min_m", on).value,
        law.parameter("parcel_split.frontage_min_m", on).value,
    )
    parcels = table([plot()]).set_column(0, "parcel_id", [[CODE]])
    roads, buildings = table(ROADS), table(WORKSHOPS)
    found, _ = split_parcel(parcels, CODE, AREAS_MU, rules, roads=roads, buildings=buildings)
    print(found.drop_columns(["geometry"]).to_pandas().round(2).to_string(index=False))

    figure, axes = plt.subplots(1, 3, figsize=(13, 4))
    for number, ax in enumerate(axes, 1):
        rows = found.filter(pc.equal(found["proposal"], number)).to_pylist()
        parts = metres([r["geometry"] for r in rows])
        for row, part, colour in zip(rows, parts, (BLUE, GREEN, SAND), strict=True):
            draw(ax, part, facecolor=colour, alpha=0.6)
            words = (
                f"{row['parcel_id'][-5:]}\n{m2_to_mu(row['area_m2']):.2f} 亩\n临路 {row['frontage_m']:.0f} m"
            )
            label(ax, part, words, size=8)
        for building in WORKSHOPS:
            draw(ax, building, facecolor=GREY)
        for road in ROADS:
            draw(ax, road, color=INK, linewidth=4)
        fault = "，".join(r["broken"] for r in rows if r["broken"])
        plan(ax, f"方案 {number}：新界线 {rows[0]['cut_m']:.0f} m" + (f"  {fault}" if fault else ""))
        if fault:
            ax.title.set_color(RED)
    save(figure, "space_split")

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
    best = found.filter(pc.equal(found["proposal"], 1))
    planar = to_plane(degrees(metres(best["geometry"].to_pylist())), ZONE)
    plots = [Plot(name, part) for name, part in zip(best["parcel_id"].to_pylist(), planar, strict=True)]
    for each in plots:
        path = folder / f"{each.plot_id}.txt"
        path.write_bytes(boundary_txt([each], ZONE, made_by="示例", made_on=on, decimals=5).encode("gbk"))
        print(path)
    (folder / "split_EPSG4547.dxf").write_text(boundary_dxf(plots), encoding="utf-8")
    layer = {"layer": "parts", "geometry_type": "Polygon", "crs": "EPSG:4490"}
    pyogrio.write_arrow(best, folder / "split.gpkg", driver="GPKG", geometry_name="geometry", **layer)


if __name__ == "__main__":
    main()
