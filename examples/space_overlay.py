"""How much of each parcel lies under a control line: areas on the ground, a sliver left out, a mended polygon told.

python examples/space_overlay.py OUT
"""

import matplotlib.pyplot as plt
import shapely
from space_common import GREEN, INK, RED, SAND, draw, label, plan, save, table

from panhuo.inventory.overlay import overlay, prepare_layer

PARCELS = [
    shapely.box(0, 0, 120, 100),
    shapely.box(130, 0, 260, 100),
    shapely.box(270, 0, 380, 100),
    shapely.box(0, 110, 160, 230),
    shapely.Polygon([(170, 110), (380, 110), (380, 230), (300, 230), (300, 160), (170, 160)]),
]
FARMLAND = [
    shapely.Polygon([(95, -30), (205, -30), (270.1, 60), (180, 130), (119.995, 60)]),
    shapely.Polygon([(60, 180), (240, 180), (240, 260), (60, 260)]).difference(
        shapely.box(90, 195, 120, 215)
    ),
    shapely.Polygon([(320, 190), (420, 250), (420, 190), (320, 250)]),  # a bow tie, as digitising leaves them
]


def main() -> None:
    parcels = table(PARCELS)
    layer = prepare_layer(table(FARMLAND, "f"), "permanent_farmland")
    result = overlay(parcels, layer)
    rows = {row["parcel_id"]: row for row in result.areas.to_pylist()}
    for row in rows.values():
        print(f"{row['parcel_id']} {row['layer']} {row['area_m2']:10.2f} m² {row['share']:7.2%}")
    print(f"碎屑不计 slivers left out: {result.slivers}")
    for problem in result.problems:
        print(f"{problem.type} 第 {problem.row} 行 row: {problem.value}")

    figure, ax = plt.subplots(figsize=(8, 5))
    for i, shape in enumerate(PARCELS):
        row = rows.get(f"p{i + 1}")
        draw(ax, shape, facecolor=SAND)
        words = f"{row['area_m2']:,.0f} m²\n{row['share']:.1%}" if row else "碎屑不计 a sliver"
        where = {3: shapely.box(0, 110, 160, 175), 4: shapely.box(300, 110, 380, 160)}.get(i, shape)
        label(ax, where, f"p{i + 1}\n{words}", size=9)
    for shape in FARMLAND:
        whole = shapely.make_valid(shape)
        draw(ax, whole, facecolor=GREEN, edgecolor=GREEN, alpha=0.35)
        for parcel in PARCELS:
            shared = whole.intersection(parcel)
            if shared.area:
                draw(ax, shared, facecolor="none", edgecolor=RED, linewidth=1.2)
    ax.fill([], [], color=GREEN, alpha=0.35, label="永久基本农田 permanent farmland")
    ax.plot([], [], color=RED, label="压占部分 part under the line")
    ax.legend(loc="lower right", frameon=False, labelcolor=INK)
    plan(
        ax,
        "图层叠置：每宗在控制线下的面积与占比  Area and share of each parcel under the line",
        (-25, -45, 440, 275),
    )
    save(figure, "space_overlay")


if __name__ == "__main__":
    main()
