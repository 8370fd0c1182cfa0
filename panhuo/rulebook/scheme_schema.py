"""What a scheme file (law/schemes/*.yaml) may say: how firms are scored, projects admitted, progress counted."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Value
from panhuo.rulebook.predicate import PARAMETER, literal, parse
from panhuo.rulebook.schema import Label, LawFile, Mark, Text

SMALL_GROUP: Final = "$score.min_firms"


def _checked(text: str) -> str:
    try:
        parse(text)
    except PanhuoError as error:
        raise ValueError(str(error)) from None
    return text


def _number_or_parameter(value: float | str) -> float | str:
    if isinstance(value, str) and not PARAMETER.fullmatch(value):
        raise ValueError(f"neither a number nor a $topic.name: {value}")
    return value


def _as_text(value: object) -> object:
    return literal(value) if isinstance(value, int | float) else value


Sql = Annotated[Text, BeforeValidator(_as_text), AfterValidator(_checked)]
Number = Annotated[float | str, AfterValidator(_number_or_parameter)]
"""A number, or the parameter that holds it ($topic.name); a bound scheme holds numbers only."""

OnMissing = Literal["zero", "group_mean", "refuse"]
"""What an indicator without a value scores: nothing, the mean points of its group, or no score at all."""


class SchemeFile(LawFile):
    """What every scheme states of itself. `assumed` names what its source leaves open and we filled in.

    `id` (the file's name) and `parameters` (the values drawn when bound) are set on loading only.
    """

    label: Label
    place: str = ""
    in_force_from: date | None = None
    in_force_to: date | None = None
    source: Text
    article: str = ""
    mark: Mark
    checked_on: date
    assumed: dict[str, Label] = Field(default_factory=dict)
    note: str = ""
    id: str = ""
    parameters: tuple[Value, ...] = ()

    def in_force(self, on: date) -> bool:
        """Whether the scheme is in force on `on`; the end date is the first day without it."""
        return (self.in_force_from is None or self.in_force_from <= on) and (
            self.in_force_to is None or on < self.in_force_to
        )


class Base(LawFile):
    """What an indicator is divided by: a fixed value, values by key, or a mean of the firms.

    mean: `pooled` divides the sum of numerators by the sum of denominators, `simple` averages the firms'
    values. It is taken within the ranking group, or within it by `by` unless fewer than `min_firms` firms
    have a value: then over the whole ranking group. `times` multiplies it; `year: previous` takes last
    year's firms.
    """

    value: Number | None = None
    by: Sql | None = None
    values: dict[str, float] = Field(default_factory=dict)
    mean: Literal["pooled", "simple"] | None = None
    times: float = 1.0
    min_firms: Number = SMALL_GROUP
    year: Literal["same", "previous"] = "same"
    without_previous: Literal["same_year", "refuse"] = "refuse"

    @model_validator(mode="after")
    def _one_kind(self) -> "Base":
        if (self.mean is None) == (self.value is None and not self.values):
            raise ValueError("a base is either fixed (value, values) or a mean")
        if self.values and not self.by:
            raise ValueError("values need `by`")
        return self


class Indicator(LawFile):
    """points = weight × clip(numerator ÷ denominator ÷ base, floor, cap); `less` turns the ratio round."""

    label: Label
    unit: Text
    numerator: Sql
    denominator: Sql = "1"
    weight: float = Field(gt=0)
    base: Base
    better: Literal["more", "less"] = "more"
    floor: Number = 0.0
    cap: Number | None = None
    missing: OnMissing = "refuse"
    nobody: Literal["refuse", "left_out"] = "refuse"
    """What a group without a single figure of it does: refuse every score, or reckon without the indicator."""

    @field_validator("base", mode="before")
    @classmethod
    def _short(cls, given: object) -> object:
        return {"value": given} if isinstance(given, int | float | str) else given


class Extra(LawFile):
    """Points given (or, negative, taken) when a predicate holds."""

    label: Label
    when: Sql
    points: float


class Veto(LawFile):
    """One-vote veto: the firm leaves the ranking and takes `tier`."""

    label: Label
    when: Sql
    tier: Text


class Class(LawFile):
    """Firms outside the ranking: new, in transition, utilities. `treated_as` gives them a tier's policies."""

    label: Label
    when: Sql
    tier: str = ""
    treated_as: str = ""
    scored: bool = False


class Policy(LawFile):
    """One consequence of a tier. kind says which resource it moves; `value` is its figure in `unit`."""

    label: Label
    kind: Literal[
        "land", "electricity", "water", "gas", "emission", "finance", "honour", "inspection", "exit", "plan"
    ]
    value: float | None = None
    unit: str = ""
    mark: Mark | None = None


class Tier(LawFile):
    """A grade: firms ranked up to the share `up_to` (inclusive), or scoring `at_least`."""

    label: Label
    up_to: float | None = Field(default=None, gt=0, le=1)
    at_least: float | None = None
    policies: dict[str, Policy] = Field(default_factory=dict)


class Group(LawFile):
    """Firms measured by the same indicators and ranked together (规上, 规下)."""

    label: Label
    when: Sql = "TRUE"
    indicators: dict[str, Indicator] = Field(min_length=1)


class LandRule(LawFile):
    """How rented floor becomes land: floor ÷ max(FAR of the parcel, far_floor); what an unknown FAR does."""

    rented_area: Literal["floor", "land"] = "floor"
    far_floor: Number = "$score.far_floor"
    unknown_far: Literal["as_land", "refuse"] = "as_land"


class Scheme(SchemeFile):
    """A scoring scheme (亩均效益评价): groups, indicators, bonus, veto, tiers, policies, who is left out."""

    kind: Literal["score"]
    year: int | None = None
    partition: Sql | None = None
    """Firms are ranked, and means taken, within each value of it (a county) rather than all together."""
    land: LandRule = LandRule()
    classes: dict[str, Class] = Field(default_factory=dict)
    groups: dict[str, Group] = Field(min_length=1)
    bonus: dict[str, Extra] = Field(default_factory=dict)
    bonus_cap: float | None = None
    veto: dict[str, Veto] = Field(default_factory=dict)
    tiers: dict[str, Tier] = Field(min_length=1)
    ties: Literal["better", "worse"] = "better"
    """Equal scores share a rank; at a tier's edge they all take the better or all the worse tier."""
    min_firms: Number = SMALL_GROUP

    @model_validator(mode="after")
    def _tiers_of_one_kind(self) -> "Scheme":
        shares = [t.up_to for t in self.tiers.values() if t.up_to is not None]
        floors = [t.at_least for t in self.tiers.values() if t.at_least is not None]
        if bool(shares) == bool(floors):
            raise ValueError("tiers go either all by share or all by score")
        if shares and (shares != sorted(set(shares)) or shares[-1] != 1):
            raise ValueError("shares must grow and end at 1")
        if floors and floors != sorted(set(floors), reverse=True):
            raise ValueError("score bars must fall")
        named = {v.tier for v in self.veto.values()} | {c.treated_as for c in self.classes.values()}
        if unknown := named - set(self.tiers) - {""}:
            raise ValueError(f"no such tier: {sorted(unknown)}")
        return self

    @property
    def by_share(self) -> bool:
        """Whether tiers are shares of the ranking (else bars of the score)."""
        return any(t.up_to is not None for t in self.tiers.values())


class Criterion(LawFile):
    """One bar: numerator ÷ denominator must reach `bar` (or stay within it, `at_most`)."""

    label: Label
    unit: Text
    numerator: Sql
    denominator: Sql = "1"
    bar: Number
    side: Literal["at_least", "at_most"] = "at_least"
    due: Text | None = None
    """The milestone by which the promise falls due (start, finish, production, capacity)."""


class Grade(LawFile):
    """A project grade: `when` over passed, failed, unknown (counts) and margin (least value ÷ bar)."""

    label: Label
    when: Sql
    admits: bool


class Consequence(LawFile):
    """What the contract says follows when a milestone or promise is met, late or missed."""

    label: Label
    when: Sql
    kind: Literal["reward", "penalty", "take_back", "urge"]
    amount: Sql | None = None
    unit: str = ""


class AdmissionScheme(SchemeFile):
    """An admission bar (448, 标准地): criteria, project grades, and what follows promises kept or broken."""

    kind: Literal["admission"]
    criteria: dict[str, Criterion] = Field(min_length=1)
    grades: dict[str, Grade] = Field(default_factory=dict)
    consequences: dict[str, Consequence] = Field(default_factory=dict)


class Milestone(LawFile):
    """A step a contract promises by a date. `due`, `met_on`: SQL dates; `met`: SQL truth, NULL when nobody knows."""

    label: Label
    due: Sql
    met: Sql
    met_on: Sql
    ahead_days: Number


class Stage(LawFile):
    """Where a firm stands in the park (入园, 在园, 离园): the first whose `when` holds."""

    label: Label
    when: Sql


class FindingSet(LawFile):
    """Parcels taken together under one name: those with any of the findings."""

    label: Label
    findings: list[Text] = Field(min_length=1)


class LifecycleScheme(SchemeFile):
    """The promises of a supply contract, the stages of a firm in the park, and the lists a park is watched by."""

    kind: Literal["lifecycle"]
    milestones: dict[str, Milestone] = Field(min_length=1)
    stages: dict[str, Stage] = Field(min_length=1)
    lists: dict[str, FindingSet] = Field(default_factory=dict)


class Action(LawFile):
    """One line of a firm's plan (一企一策): `when` over the firm's record, and the tool it opens."""

    label: Label
    when: Sql
    tool: Text
    because: Label


class FirmPlanScheme(SchemeFile):
    """What is proposed to a firm of a low tier. `counts`: facts that count its own parcels with some findings."""

    kind: Literal["firm_plan"]
    tiers: list[Text] = Field(min_length=1)
    counts: dict[str, FindingSet] = Field(default_factory=dict)
    actions: dict[str, Action] = Field(min_length=1)


class LeaseCheck(LawFile):
    """One check of a lease: `broken` over the lease's record; `value` and `bar`, in `unit`, are shown beside it."""

    label: Label
    broken: Sql
    value: Sql
    bar: Sql
    unit: Text
    source: Text
    article: str = ""
    mark: Mark


class LeaseScheme(SchemeFile):
    """How leases of plant are checked. `facts`: what a lease's record is called that a check may lack."""

    kind: Literal["lease"]
    facts: dict[str, Label]
    checks: dict[str, LeaseCheck] = Field(min_length=1)


class Measure(LawFile):
    """One figure of the scoreboard, with its only definition. `formula` is SQL over `needs`, all in m²."""

    label: Label
    formula_id: Text
    task: Label
    done: Label
    needs: list[Text] = Field(min_length=1)
    formula: Sql
    balanced: bool = False
    """Whether opening + added − disposed must equal closing before a rate is given."""


class ScoreboardScheme(SchemeFile):
    """The measures of the scoreboard (批而未供, 闲置, 低效)."""

    kind: Literal["scoreboard"]
    measures: dict[str, Measure] = Field(min_length=1)


class ZoneIndicator(LawFile):
    """One figure of a development zone: SQL over the zone's areas (m²) and money (万元)."""

    label: Label
    unit: Text
    formula: Sql
    better: Literal["more", "less"] = "more"


class ZoneScheme(SchemeFile):
    """How the land use of a development zone is measured, and which type it is of (the first that holds)."""

    kind: Literal["zone"]
    indicators: dict[str, ZoneIndicator] = Field(min_length=1)
    types: dict[str, Stage] = Field(default_factory=dict)


class Registration(LawFile):
    """What a remedy is registered as; `when`: for which parcels, all when there is none."""

    label: Label
    when: Sql | None = None


class Remedy(LawFile):
    """One of a place's own measures: the tools it stands for, and `when` it is meant, always when there is none."""

    label: Label
    tools: list[Text] = Field(min_length=1)
    when: Sql | None = None
    registers: dict[str, Registration] = Field(default_factory=dict)


class LandClass(LawFile):
    """A class of land with its remedies; `when`: over the facts of a parcel."""

    label: Label
    when: Sql
    remedies: dict[str, Remedy] = Field(min_length=1)


class RemedyScheme(SchemeFile):
    """The measures of a place by class of land (分类施策), in its own words."""

    kind: Literal["remedies"]
    classes: dict[str, LandClass] = Field(min_length=1)

    def predicates(self) -> dict[str, str]:
        """Every predicate of the scheme by where it stands: `class`, `class.remedy` or `class.remedy.registration`."""
        found = {}
        for class_id, land in self.classes.items():
            found[class_id] = land.when
            for remedy_id, remedy in land.remedies.items():
                asked = {f"{class_id}.{remedy_id}": remedy.when}
                asked |= {
                    f"{class_id}.{remedy_id}.{name}": one.when for name, one in remedy.registers.items()
                }
                found |= {name: when for name, when in asked.items() if when is not None}
        return found
