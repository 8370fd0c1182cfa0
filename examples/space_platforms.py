"""The plot of 47.79 亩 of case 11 on a made-up hillside: slope, platforms with balanced earth, and the FAR they bear.

The case says the ground falls from north-east to south-west; its heights are not published.

    python examples/space_platforms.py OUT
"""

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import shapely
from scipy.interpolate import RegularGridInterpolator
from space_common import CORNER, GREEN, INK, RED, SAND, ZONE, degrees, draw, label, metres, plan, save, table

from panhuo.core.units import m2_to_mu, mu_to_m2
from panhuo.inventory.geometry import zone_crs
from panhuo.inventory.platforms import GradingRules, platforms
from panhuo.inventory.terrain import Dem, dem, slope_facts
from panhuo.rulebook.book import Rulebook

CLAIMED_FLOOR_M2 = 30_000
DENSITY, STOREYS = 0.4, 3


def hillside(cell: float = 2.0, count: int = 200) -> Dem:
    """A hillside that rises to the north-east, with a knoll and a hollow."""
    x = -80 + cell * (np.arange(count) + 0.5)
    y = 320 - cell * (np.arange(count) + 0.5)
    east, north = np.meshgrid(x, y)
    z = 300 + 0.085 * north + 0.05 * east + 3 * np.exp(-((east - 60) ** 2 + (north - 120) ** 2) / 2500)
    z -= 2 * np.exp(-((east - 130) ** 2 + (north - 50) ** 2) / 1800)
    west, top = CORNER + np.array([-80.0, 320.0])
    return dem(z, (float(west), float(top)), (cell, cell), zone_crs(ZONE))


def main() -> None:
    law, on = Rulebook.load(), date(2025, 1, 1)

    def value(name: str) -> float:
        return law.parameter(name, on).value

    width = 185.0
    parcel = shapely.box(0, 0, width, mu_to_m2(47.79) / width)
    grid = hillside()
    gentle = value("land_form.gentle_slope_min_deg"), value("land_form.gentle_slope_max_deg")
    facts, _ = slope_facts(
        table([parcel]), grid, law.parameter("terrain.slope_class_bounds_deg", on).value, gentle
    )
    print({k: v for k, v in facts.to_pylist()[0].items() if k != "parcel_id"})
    rules = GradingRules(
        value("terrain.wall_max_m"),
        value("terrain.platform_depth_min_m"),
        value("terrain.wall_setback_m"),
        value("terrain.fill_per_cut"),
    )
    grading = platforms(degrees([parcel])[0], grid, rules)
    rows = grading.platforms.to_pylist()
    print(grading.platforms.drop_columns(["geometry"]).to_pandas().round(2).to_string(index=False))
    far = grading.far(DENSITY, STOREYS)
    claimed = CLAIMED_FLOOR_M2 / grading.parcel_m2
    print(
        f"可用 usable {m2_to_mu(grading.usable_m2):.2f} 亩; 挖 {grading.cut_m3:.0f} m³, 填 {grading.fill_m3:.0f} m³"
    )
    print(f"FAR {far:.2f} ({STOREYS} 层, 密度 {DENSITY:.0%}); 案例自称 3 万 m² 合 {claimed:.2f}，不足 1.0")

    figure, (ax, side) = plt.subplots(1, 2, figsize=(12, 4.6), width_ratios=[1, 1.3])
    x = -80 + 2.0 * (np.arange(200) + 0.5)
    y = 320 - 2.0 * (np.arange(200) + 0.5)
    lines = ax.contour(x, y, grid.z, levels=np.arange(290, 345, 2), colors=GREEN, linewidths=0.6)
    ax.clabel(lines, lines.levels[::2], fontsize=6)
    for row, band in zip(rows, metres([r["geometry"] for r in rows]), strict=True):
        draw(ax, band, facecolor=SAND, alpha=0.8)
        label(
            ax,
            band,
            f"台{row['platform']}  {row['level_m']:.1f} m\n{m2_to_mu(row['area_m2']):.1f} 亩",
            size=8,
        )
    plan(ax, f"47.79 亩分 {len(rows)} 台", (-40, -40, width + 40, 215))

    angle = np.radians(grading.fall_direction_deg + 180)
    uphill = np.array([np.sin(angle), np.cos(angle)])
    centre = np.array(parcel.centroid.coords[0])
    t = np.linspace(-150, 150, 400)
    points = centre + t[:, None] * uphill
    inside = shapely.contains_xy(parcel, points)
    ground = RegularGridInterpolator((y[::-1], x), grid.z[::-1])(points[:, ::-1])
    side.plot(t[inside], ground[inside], color=GREEN, label="原地面 ground")
    level = np.full(len(t), np.nan)
    for row, band in zip(rows, metres([r["geometry"] for r in rows]), strict=True):
        level[shapely.contains_xy(band, points)] = row["level_m"]
    side.plot(t[inside], level[inside], color=RED, label="台面 platforms")
    side.fill_between(t[inside], level[inside], ground[inside], color=SAND)
    side.set_title(
        f"顺坡剖面：挖 {grading.cut_m3:,.0f} m³，填 {grading.fill_m3:,.0f} m³，容积率 {far:.2f}",
        loc="left",
        color=INK,
    )
    side.set_xlabel("m")
    side.set_ylabel("高程 m")
    side.legend(frameon=False)
    side.spines[["top", "right"]].set_visible(False)
    save(figure, "space_platforms")


if __name__ == "__main__":
    main()
