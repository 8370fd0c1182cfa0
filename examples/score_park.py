"""A park scored by 黄岩's printed formula and by the default, with one score redone by hand and a what-if.

python examples/score_park.py
"""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.units import mu_to_m2
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.score.whatif import Inputs, compared, moves, revised, stability

ON = date(2023, 10, 1)


def park() -> Inputs:
    """Twenty firms above scale on 10 to 48 亩."""
    number = range(20)
    firms = pa.table({
        "enterprise_id": [f"firm {k:02d}" for k in number],
        "year": [2022] * 20,
        "revenue_wan": [3000.0 + 900 * (k % 7) for k in number],
        "tax_wan": [80.0 + 30 * ((k * 7) % 20) for k in number],
        "value_added_wan": [600.0 + 150 * ((k * 3) % 20) for k in number],
        "energy_tce": [200.0 + 40 * (k % 5) for k in number],
        "emission_eq": [None if k % 6 == 0 else 0.2 + 0.05 * (k % 4) for k in number],
        "employees": [60.0 + 5 * k for k in number],
        "rd_wan": [50.0 + 10 * (k % 9) for k in number],
    })  # fmt: skip
    uses = pa.table({
        "parcel_id": [f"plot {k:02d}" for k in number],
        "enterprise_id": firms["enterprise_id"],
        "kind": ["own"] * 20,
        "area_m2": [mu_to_m2(10 + 2 * k) for k in number],
    })  # fmt: skip
    return Inputs(firms, uses, None, ON)


def main() -> None:
    book, inputs = Rulebook.load(), park()
    rule = scheme(book, Scheme, "huangyan_2022", ON)
    result = inputs.score(rule)
    best = result.scores.sort_by("rank").to_pylist()[0]
    print(f"{best['enterprise_id']}: {best['score']:.3f}, tier {best['tier']}, rank {best['rank']}")
    for item in result.items.filter(
        pc.equal(result.items["enterprise_id"], best["enterprise_id"])
    ).to_pylist():
        if item["base"] is None:
            print(f"  {item['indicator']}: {item['value']:.4f}  {item['note']}")
            continue
        weight = rule.groups[best["group_id"]].indicators[item["indicator"]].weight
        value = "unknown" if item["value"] is None else f"{item['value']:.4f}"
        print(
            f"  {item['indicator']}: {value} / {item['base']} x {weight:g} = {item['points']:.4f}  {item['note']}"
        )
    other = revised(rule, weights={"tax_per_mu": 50, "value_added_per_mu": 0.001})
    print("tiers when tax weighs 50:", moves(compared(result.scores, inputs.score(other).scores)).to_pylist())
    kept = stability(inputs, rule, noise=0.05, draws=20)
    shaky = kept.filter(pc.less(kept["kept"], 0.8)).to_pylist()
    print("tiers that a 5 % error turns in over a fifth of draws:", [row["enterprise_id"] for row in shaky])


if __name__ == "__main__":
    main()
