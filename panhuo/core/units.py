"""Areas and money at the edge: inside, areas are m² and money is 万元."""

from fractions import Fraction
from typing import Final

MU_M2: Final = Fraction(2000, 3)
"""One 亩 in m², exactly."""

HECTARE_M2: Final = 10_000
YI_WAN: Final = 10_000
"""One 亿元 in 万元."""


def mu_to_m2(mu: float) -> float:
    """Area in m² of `mu` 亩."""
    return float(mu * 2000 / 3)


def m2_to_mu(m2: float) -> float:
    """Area in 亩 of `m2` m²."""
    return float(m2 * 3 / 2000)
