"""A cluster of firms (a park, an industry of a county): its figures per 亩, and claims held to its own inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

from panhuo.core.units import m2_to_mu
from panhuo.rulebook.facts import connect
from panhuo.rulebook.scheme_schema import LandRule
from panhuo.score.land_base import OCCUPANCIES, land_bases, registered

PARCELS: Final = pa.schema(
    {"parcel_id": pa.string(), "holder_uscc": pa.string(), "floor_area_m2": pa.float64()}
)
FIRMS: Final = pa.schema(
    {
        "enterprise_id": pa.string(),
        "output_wan": pa.float64(),
        "revenue_wan": pa.float64(),
        "tax_wan": pa.float64(),
    }
)

# A firm's floor: that of its own parcels where nobody else is on them, and what it rents; let out or shared is unknown.
FLOORS: Final = """
WITH uses AS (
  SELECT parcel_id, enterprise_id, kind, area_m2,
    coalesce(from_on <= make_date($year, 1, 1), TRUE) AND coalesce(until_on >= make_date($year, 12, 31), TRUE) AS whole
  FROM occupancies
  WHERE coalesce(from_on <= make_date($year, 12, 31), TRUE) AND coalesce(until_on >= make_date($year, 1, 1), TRUE)
  UNION ALL
  SELECT p.parcel_id, p.holder_uscc, 'own', NULL, TRUE FROM parcels p
  ANTI JOIN (SELECT enterprise_id FROM occupancies WHERE kind = 'own') o ON o.enterprise_id = p.holder_uscc
  WHERE p.holder_uscc IS NOT NULL
), parts AS (
  SELECT enterprise_id, CASE WHEN NOT whole THEN NULL WHEN kind = 'lease_in' THEN area_m2
    WHEN kind = 'own' AND count(DISTINCT enterprise_id) OVER (PARTITION BY parcel_id) = 1 THEN floor_area_m2 END AS m2
  FROM uses LEFT JOIN parcels USING (parcel_id)
)
SELECT enterprise_id, CASE WHEN count(*) = count(m2) THEN sum(m2) END AS floor_m2 FROM parts GROUP BY 1
"""
SUMS: Final = """
SELECT {sums} FROM firms LEFT JOIN land USING (enterprise_id) LEFT JOIN floors USING (enterprise_id)
"""
SUMMED: Final = ("land_m2", "floor_m2", "output_wan", "revenue_wan", "tax_wan")


@dataclass(frozen=True)
class Cluster:
    """What a park or cluster states of itself: areas m², money 万元 a year; None where not stated."""

    land_m2: float | None = None
    floor_m2: float | None = None
    output_wan: float | None = None
    revenue_wan: float | None = None
    tax_wan: float | None = None
    suppliers: float | None = None
    local_suppliers: float | None = None

    @property
    def figures(self) -> dict[str, float | None]:
        """land_mu, far, output_per_mu, revenue_per_mu, tax_per_mu [万元/亩], local_share; None for want of an input."""
        mu = None if self.land_m2 is None else m2_to_mu(self.land_m2)
        parts = {
            "far": (self.floor_m2, self.land_m2),
            "output_per_mu": (self.output_wan, mu),
            "revenue_per_mu": (self.revenue_wan, mu),
            "tax_per_mu": (self.tax_wan, mu),
            "local_share": (self.local_suppliers, self.suppliers),
        }
        shares = {
            n: None if above is None or not below else above / below for n, (above, below) in parts.items()
        }
        return {"land_mu": mu, **shares}


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


def cluster_sums(
    firms: pa.Table, occupancies: pa.Table | None, parcels: pa.Table | None, year: int, rule: LandRule
) -> dict[str, tuple[float | None, int]]:
    """The inputs of a cluster from its firms: figure → (sum, of how many firms it is known); None unless of all.

    firms: one row a firm with the money of the year; occupancies, parcels: all of the place, for whoever else is on
    the firms' land; rule: how rented floor turns into land.
    """
    con = connect(1)  # several threads would add figures up in another order each time
    con.register("firms", registered(firms, FIRMS))
    con.register("occupancies", registered(occupancies, OCCUPANCIES))
    con.register("parcels", registered(parcels, PARCELS))
    con.register("land", land_bases(occupancies, parcels, year, rule)[0])
    con.register("floors", con.execute(FLOORS, {"year": year}).to_arrow_table())
    sums = ", ".join(f"CASE WHEN count(*) = count({n}) THEN sum({n}) END, count({n})" for n in SUMMED)
    found = con.execute(SUMS.format(sums=sums)).fetchone()
    assert found is not None
    return {name: (found[2 * k], found[2 * k + 1]) for k, name in enumerate(SUMMED)}
