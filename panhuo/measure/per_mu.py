"""Per-mu figures of a park or cluster and their growth, from their inputs, so that claims can be held to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from panhuo.core.units import m2_to_mu


def earlier_value(now: float, growth: float) -> float:
    """Last year's figure of one that grew by `growth` (0.091 for 9.1 %) to `now`."""
    return now / (1 + growth)


@dataclass(frozen=True)
class Cluster:
    """What a park or cluster states of itself: areas m², money 万元 a year; None where not stated."""

    land_m2: float
    floor_m2: float | None = None
    output_wan: float | None = None
    revenue_wan: float | None = None
    tax_wan: float | None = None
    suppliers: int | None = None
    local_suppliers: int | None = None

    @property
    def figures(self) -> dict[str, float]:
        """far, output_per_mu, revenue_per_mu, tax_per_mu [万元/亩], local_share; those whose inputs are stated."""
        mu = m2_to_mu(self.land_m2)
        parts = {
            "far": (self.floor_m2, self.land_m2),
            "output_per_mu": (self.output_wan, mu),
            "revenue_per_mu": (self.revenue_wan, mu),
            "tax_per_mu": (self.tax_wan, mu),
            "local_share": (self.local_suppliers, self.suppliers),
        }
        return {name: above / below for name, (above, below) in parts.items() if above is not None and below}


@dataclass(frozen=True)
class Claim:
    """A stated figure beside the computed one; `uncheckable` when its inputs are not stated."""

    figure: str
    stated: float
    computed: float | None
    status: Literal["agree", "disagree", "uncheckable"]


def check_claims(cluster: Cluster, stated: Mapping[str, str]) -> list[Claim]:
    """Holds stated figures to the cluster's own inputs.

    stated: figure → the number as printed ("2.3"); it agrees when the computed one rounds to it at its
    decimals.
    """
    figures = cluster.figures
    claims = []
    for name, text in stated.items():
        decimals = len(text.partition(".")[2])
        computed = figures.get(name)
        if computed is None:
            claims.append(Claim(name, float(text), None, "uncheckable"))
        else:
            agrees = abs(computed - float(text)) <= 0.5 * 10.0**-decimals * (1 + 1e-9)
            claims.append(Claim(name, float(text), computed, "agree" if agrees else "disagree"))
    return claims
