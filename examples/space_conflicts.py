"""Neighbours, overlaps, gaps and a bridge that crosses without a conflict: drawn as a layer of their own.

python examples/space_conflicts.py OUT
"""

import matplotlib.pyplot as plt
import pyarrow as pa
import shapely
from space_common import BLUE, GREEN, GREY, RED, SAND, draw, label, metres, plan, save, table

from panhuo.inventory.conflicts import conflicts
from panhuo.inventory.neighbours import neighbours

SHAPES = [
    shapely.box(0, 0, 180, 140),
    shapely.box(180, 0, 330, 140),
    shapely.Polygon([(318, 60), (460, 60), (460, 220), (300, 220), (300, 140), (318, 140)]),
    shapely.box(0, 140.6, 180, 260),
    shapely.Polygon([(-40, 170), (500, 90), (500, 114), (-40, 194)]),
]
WORDS = {
    "overlap": "压盖 overlap",
    "gap": "缝隙 gap",
    "sliver": "碎屑 sliver",
    "area_mismatch": "面积不符 paper",
}


def main() -> None:
    parcels = table(
        SHAPES,
        holder=["甲厂", "甲厂", "乙厂", "丙厂", "高速公司"],
        z_min_m=pa.array([0, 0, 0, 0, 58], pa.float64()),
        z_max_m=pa.array([40, 40, 60, 40, 80], pa.float64()),
        area_m2=pa.array([25_200, 21_000, None, 24_000, None], pa.float64()),
    )
    adjoining, _ = neighbours(parcels)
    found, _ = conflicts(parcels)
    print(adjoining.to_pandas().round(2).to_string(index=False))
    print(found.drop_columns(["geometry"]).to_pandas().round(2).to_string(index=False))

    figure, ax = plt.subplots(figsize=(8, 5))
    for i, shape in enumerate(SHAPES):
        draw(ax, shape, facecolor=GREY if i == 4 else SAND, alpha=0.7 if i == 4 else 1)
        names = f"{parcels['parcel_id'][i]} {parcels['holder'][i]}"
        heights = f"{parcels['z_min_m'][i].as_py():g}–{parcels['z_max_m'][i].as_py():g} m"
        label(
            ax,
            shapely.box(*shape.bounds) if i < 4 else shapely.Point(-10, 182),
            f"{names}\n{heights}",
            size=8,
        )
    colours = {"overlap": RED, "gap": BLUE, "area_mismatch": GREEN}
    drawn = found.filter(pa.compute.is_valid(found["geometry"])).to_pylist()
    for row, shape in zip(drawn, metres([r["geometry"] for r in drawn]), strict=True):
        colour = colours.get(row["kind"], RED)
        whole = row["kind"] == "area_mismatch"
        draw(
            ax,
            shape,
            facecolor="none" if whole else colour,
            edgecolor=colour,
            linewidth=2.5,
            hatch="//" if whole else None,
        )
    for kind, colour in colours.items():
        ax.plot([], [], color=colour, linewidth=5, label=WORDS[kind])
    ax.legend(loc="lower right", frameon=False)
    plan(ax, "权属冲突图：只有同一高度的重叠才算冲突  Conflicts: only volumes that meet")
    save(figure, "space_conflicts")


if __name__ == "__main__":
    main()
