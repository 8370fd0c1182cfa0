"""Case 14: eight boilers become one plant of 12 t/h, five treatment plants one of 2000 t/d; what each firm saves.

The case publishes counts, sizes, land per firm and park-wide savings; single loads, places and prices here are made up
to fit them.

    python examples/space_shared_plant.py OUT
"""

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
from space_common import BLUE, INK, RED, SAND, lonlat, save

from panhuo.core.units import m2_to_mu, mu_to_m2
from panhuo.plan.shared_plant import Terms, saved_by_firm, sensitivity, shared_plant
from panhuo.rulebook.book import Rulebook

STEAM_T_PER_H = [2.0, 2.0, 1.5, 2.0, 1.0, 1.5, 2.0, 1.0]
WATER_T_PER_DAY = [600.0, 450.0, 400.0, 300.0, 200.0]


def places(count: int) -> np.ndarray:
    """Firms about a small park."""
    angle = np.linspace(0.3, 0.3 + 2 * np.pi, count, endpoint=False)
    far = 400 + 150 * np.sin(5 * angle)
    return np.column_stack([far * np.cos(angle), 0.8 * far * np.sin(angle)])


def firms(loads: list[float], wan_per_unit: float, land_mu: float) -> pa.Table:
    """Firms with their present plants; all must go (boilers of up to 2 t/h)."""
    return pa.table(
        {
            "firm_id": [f"企业{i + 1}" for i in range(len(loads))],
            **lonlat(places(8)[: len(loads)]),
            "load": loads,
            "yearly_wan": [wan_per_unit * x for x in loads],
            "land_m2": [mu_to_m2(land_mu)] * len(loads),
            "must_replace": [True] * len(loads),
        }
    )


def sizes(capacities: list[float], invest: float, unit: float, land: float) -> pa.Table:
    """Plants on offer, cheaper by the unit the larger they are."""
    c = np.array(capacities)
    price = invest * c**0.7
    return pa.table(
        {
            "capacity": c,
            "invest_wan": price,
            "fixed_wan": 0.03 * price,
            "unit_wan": np.full(len(c), unit),
            "land_m2": land * c**0.5,
        }
    )


def main() -> None:
    law, on = Rulebook.load(), date(2025, 1, 1)

    def value(name: str) -> float:
        return law.parameter(f"energy.{name}", on).value

    spots = np.array([[0.0, 0.0], [260.0, 120.0], [-240.0, -90.0]])
    sites = pa.table({"site_id": ["站A", "站B", "站C"], **lonlat(spots)})
    detour = value("pipe_detour")
    steam = Terms(0.05, 20, value("heat_simultaneity"), 0.12, value("heat_pipe_max_m"), detour)
    water = Terms(0.05, 20, 1.0, 0.06, value("water_pipe_max_m"), detour)
    boilers = firms(STEAM_T_PER_H, 197, 1.2)
    steam_sizes = sizes([4.0, 6, 8, 10, 12, 15, 20], 150, 110, 400)
    ponds = firms(WATER_T_PER_DAY, 0.808, 1.5)
    water_sizes = sizes([500.0, 1000, 2000, 3000], 8, 0.3, 60)
    plans = {
        "集中供热": shared_plant(boilers, sites, steam_sizes, steam),
        "集中治污": shared_plant(ponds, sites, water_sizes, water),
    }
    for name, found in plans.items():
        print(name, found.plants.to_pylist(), f"全年节约 {found.saved_wan:,.0f} 万元")
    total = saved_by_firm(plans)
    for row in total.to_pylist():
        freed = f"{m2_to_mu(row['land_freed_m2']):.1f} 亩"
        print(row["firm_id"], row["services"], freed, f"{row['saved_wan']:.0f} 万元/年")
    moved = sensitivity(boilers, sites, steam_sizes, steam).to_pylist()
    for row in moved:
        print(row)

    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4))
    for ax, (name, found), loads, unit in zip(
        axes, plans.items(), (STEAM_T_PER_H, WATER_T_PER_DAY), ("t/h", "t/d"), strict=False
    ):
        at = places(8)[: len(loads)]
        names = sites["site_id"].to_pylist()
        for row, xy, load in zip(found.firms.to_pylist(), at, loads, strict=True):
            end = spots[names.index(row["site_id"])]
            ax.plot(*np.array([xy, end]).T, color=BLUE, linewidth=1.2, zorder=1)
            ax.scatter(*xy, s=90, color=SAND, edgecolor=INK, zorder=2)
            ax.annotate(
                f"{row['firm_id']}\n{load:g} {unit}", xy, xytext=(6, 6), textcoords="offset points", size=7
            )
        ax.scatter(*spots.T, s=60, facecolor="none", edgecolor=INK, marker="s")
        for plant in found.plants.to_pylist():
            xy = spots[names.index(plant["site_id"])]
            ax.scatter(*xy, s=260, color=RED, marker="s", zorder=3)
            words = f"{plant['capacity']:g} {unit}"
            ax.annotate(words, xy, xytext=(0, -20), textcoords="offset points", ha="center", color=RED)
        ax.set_aspect("equal")
        ax.margins(0.2)
        ax.axis("off")
        ax.set_title(f"{name}：{len(loads)} 处合为 {found.plants.num_rows} 处", loc="left")
    rows = total.to_pylist()
    freed = [m2_to_mu(r["land_freed_m2"]) for r in rows]
    drawn = axes[2].barh([r["firm_id"] for r in rows], freed, color=SAND, edgecolor=INK)
    axes[2].bar_label(drawn, fmt="%.1f 亩", padding=3)
    axes[2].set_xlim(0, 3.4)
    axes[2].invert_yaxis()
    axes[2].set_title("各企业腾出用地", loc="left")
    axes[2].spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    save(figure, "space_shared_plant")


if __name__ == "__main__":
    main()
