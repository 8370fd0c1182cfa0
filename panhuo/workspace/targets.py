"""What a plan must reach and within what limits: the targets file (docs/money/plan.md) and the site's form."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from panhuo.core.problems import PanhuoError
from panhuo.core.units import mu_to_m2
from panhuo.plan.problem import Target
from panhuo.rulebook.book import faults_of, read_yaml

CONFIG = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)
Limit = float | tuple[float, ...] | None
"""One number for all years, or one a year; None: no limit."""


class WantedLand(BaseModel):
    """At least so much land put right, in m² or 亩; division: prefix; measure: tool, class or batch; year 0: any."""

    model_config = CONFIG
    least_m2: float | None = Field(None, ge=0)
    least_mu: float | None = Field(None, ge=0)
    division: str = ""
    measure: str = ""
    year: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _one_area(self) -> "WantedLand":
        if (self.least_m2 is None) == (self.least_mu is None):
            raise ValueError("least_m2 或 least_mu 须给一个 give one of least_m2, least_mu")
        return self

    def target(self) -> Target:
        """As the planner takes it."""
        least = (
            mu_to_m2(self.least_mu) if self.least_m2 is None and self.least_mu is not None else self.least_m2
        )
        return Target(least or 0.0, self.division, self.measure, self.year)


class Wishes(BaseModel):
    """Targets, limits beside the budget, and pairs of parcels (see `PlanProblem`)."""

    model_config = CONFIG
    targets: tuple[WantedLand, ...] = ()
    bond_quota_wan: Limit = None
    staff_days: Limit = None
    staff_days_per_tool: dict[str, float] = Field(default_factory=dict)
    exclusive: tuple[tuple[str, str], ...] = ()
    needs: tuple[tuple[str, str], ...] = ()

    @property
    def parcels(self) -> list[str]:
        """The parcels of the pairs."""
        return [parcel for pair in (*self.exclusive, *self.needs) for parcel in pair]


def read_targets(path: Path | None) -> Wishes:
    """The targets file; nothing wished when there is none. Raises PanhuoError naming the key that does not fit."""
    if path is None:
        return Wishes()
    if not path.is_file():
        raise PanhuoError(
            "没有这个目标文件 no such targets file", where=str(path), remedy="检查路径 check the path"
        )
    try:
        return Wishes.model_validate(read_yaml(path) or {})
    except ValidationError as fault:
        raise PanhuoError(
            "目标文件有误 the targets file does not fit",
            where=str(path),
            why=faults_of(fault),
            remedy=f"可用的键 keys: {', '.join(Wishes.model_fields)}",
        ) from None
