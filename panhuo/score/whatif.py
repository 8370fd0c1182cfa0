"""What another weight, base or cap would change; whether last year's tiers come out again; how firm they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.facts import connect
from panhuo.rulebook.scheme_schema import Base, Group, Scheme
from panhuo.score.engine import ScoreResult, score

FIGURES: Final = (
    "revenue_wan", "tax_wan", "output_wan", "value_added_wan", "rd_wan", "energy_tce", "electricity_kwh",
    "emission_eq", "employees",
)  # fmt: skip
"""The figures of an enterprise that a survey gets slightly wrong."""

DRAWS: Final = 20
"""How often figures are shaken to see how firm tiers are."""

JOINED: Final = """
SELECT enterprise_id, b.score AS score_before, a.score AS score_after, b.rank AS rank_before, a.rank AS rank_after,
  b.tier AS tier_before, a.tier AS tier_after
FROM before b FULL JOIN after a USING (enterprise_id) ORDER BY enterprise_id
"""


@dataclass(frozen=True)
class Inputs:
    """What `score` takes beside the scheme, kept together to score it again."""

    enterprises: pa.Table
    occupancies: pa.Table | None
    parcels: pa.Table | None
    on: date
    previous: pa.Table | None = None

    def score(self, scheme: Scheme) -> ScoreResult:
        """The result under `scheme`."""
        return score(
            self.enterprises, self.occupancies, self.parcels, scheme, on=self.on, previous=self.previous
        )


def revised(
    scheme: Scheme,
    *,
    weights: Mapping[str, float] | None = None,
    bases: Mapping[str, float] | None = None,
    caps: Mapping[str, float] | None = None,
) -> Scheme:
    """The scheme with other weights, fixed bases or caps.

    Keys are `indicator` (in every group that has it) or `group.indicator`. Raises PanhuoError for a key
    that names nothing.
    """
    given = {"weight": dict(weights or {}), "base": dict(bases or {}), "cap": dict(caps or {})}
    known = {n for g, group in scheme.groups.items() for i in group.indicators for n in (i, f"{g}.{i}")}
    if unknown := {key for part in given.values() for key in part} - known:
        raise PanhuoError(
            f"方案 {scheme.id} 没有指标 {'、'.join(sorted(unknown))} (no such indicator)",
            remedy=f"可用 (available): {', '.join(sorted(known))}",
        )

    def changed(g: str, group: Group) -> Group:
        indicators = {}
        for name, one in group.indicators.items():
            update: dict[str, object] = {}
            for field, values in given.items():
                value = values.get(f"{g}.{name}", values.get(name))
                if value is not None:
                    update[field] = Base(value=value) if field == "base" else value
            indicators[name] = one.model_copy(update=update)
        return group.model_copy(update={"indicators": indicators})

    return scheme.model_copy(update={"groups": {g: changed(g, group) for g, group in scheme.groups.items()}})


def compared(before: pa.Table, after: pa.Table) -> pa.Table:
    """Two `scores` tables side by side: (enterprise_id, score, rank and tier before and after)."""
    con = connect()
    con.register("before", before)
    con.register("after", after)
    return con.execute(JOINED).to_arrow_table()


def moves(table: pa.Table) -> pa.Table:
    """How many firms went from which tier to which: (tier_before, tier_after, firms)."""
    return table.group_by(["tier_before", "tier_after"]).aggregate([([], "count_all")]).rename_columns(
        ["tier_before", "tier_after", "firms"]
    ).sort_by([("tier_before", "ascending"), ("tier_after", "ascending")])  # fmt: skip


def backtest(scores: pa.Table, published: pa.Table) -> tuple[float | None, pa.Table]:
    """Share of published tiers that the scheme gives again, and the tiers of every firm published.

    published: (enterprise_id, tier) as announced. Gives (enterprise_id, tier_before as published, tier_after as
    scored). Firms without a tier on either side do not count; None when no firm has both.
    """
    con = connect()
    con.register("ours", scores)
    con.register("theirs", published)
    rows = con.execute(
        "SELECT enterprise_id, t.tier AS tier_before, o.tier AS tier_after FROM theirs t LEFT JOIN ours o"
        " USING (enterprise_id) ORDER BY 1"
    ).to_arrow_table()
    return pc.mean(pc.equal(rows["tier_before"], rows["tier_after"]).cast(pa.int8())).as_py(), rows


def stability(
    inputs: Inputs, scheme: Scheme, *, noise: float = 0.02, draws: int = DRAWS, seed: int = 0
) -> pa.Table:
    """How often each firm keeps its tier when every figure is off by a random `noise` (log-normal, relative).

    Gives (enterprise_id, tier, kept): the share of draws in the same tier, 0–1; NULL for firms without a
    tier.
    """
    generator = np.random.default_rng(seed)
    first = inputs.score(scheme).scores
    tiers = np.asarray(first["tier"].fill_null("").to_numpy(zero_copy_only=False), dtype=object)
    kept = np.zeros(first.num_rows)
    for _ in range(draws):
        table = inputs.enterprises
        for name in FIGURES:
            if name in table.column_names:
                factor = np.exp(generator.normal(0.0, noise, table.num_rows))
                shaken = pc.multiply(table[name].cast(pa.float64()), pa.array(factor))
                table = table.set_column(table.column_names.index(name), name, shaken)
        again = score(
            table, inputs.occupancies, inputs.parcels, scheme, on=inputs.on, previous=inputs.previous
        ).scores
        kept += np.asarray(again["tier"].fill_null("").to_numpy(zero_copy_only=False), dtype=object) == tiers
    share = pa.array(kept / draws, mask=np.asarray(tiers == "", dtype=bool))
    return pa.table({"enterprise_id": first["enterprise_id"], "tier": first["tier"], "kept": share})
