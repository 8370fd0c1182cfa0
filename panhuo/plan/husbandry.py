"""Multi-storey husbandry: the land it saves, and whether what leaves the pens is taken up (case 12)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LandSaved:
    """Land of the same herd laid flat and on several floors, in one unit."""

    flat: float
    tall: float

    @property
    def saved(self) -> float:
        """Land left for other uses; negative when building up takes more."""
        return self.flat - self.tall

    @property
    def share(self) -> float:
        """节地率: what is saved of the land laid flat."""
        return self.saved / self.flat


@dataclass(frozen=True, slots=True)
class Balance:
    """A year's balance of a substance (manure, nitrogen, phosphorus) in one unit; `used`: amount by use."""

    produced: float
    used: Mapping[str, float]

    @property
    def recovered(self) -> float:
        """What is put to use."""
        return sum(self.used.values())

    @property
    def share(self) -> float:
        """资源化率: what is put to use of what is produced."""
        return self.recovered / self.produced

    @property
    def lost(self) -> float:
        """What is left over and goes nowhere; negative when more is used than there is, and a figure is wrong."""
        return self.produced - self.recovered
