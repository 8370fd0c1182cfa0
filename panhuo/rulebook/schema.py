"""The shape of every law file. A file that does not fit is refused with its path and the field at fault."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Sql = Text
Mark = Literal["V", "V*", "S", "M"]
"""How sure a fact of the law is: V read in a stored text, V* a secondary source, S the source cases, M memory."""

FactType = Literal["bool", "int", "float", "date", "text"]
Check = Literal["title", "contract", "documents", "site"]
"""The four checks (四结合): 查权属 验合同 核文件 察实地."""


class LawFile(BaseModel):
    """Every law file: no unknown keys, no silent coercion of names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(LawFile):
    """The same words in Chinese and English."""

    zh: Text
    en: Text


class Cite(LawFile):
    """An article of a source card."""

    source: Text
    article: str = ""


class Source(LawFile):
    """One legal instrument or reference: law/sources/<id>.yaml."""

    label: Label
    number: str = ""
    issuer: str = ""
    in_force_from: date | None = None
    in_force_to: date | None = None
    replaced_by: str = ""
    articles: dict[str, Label] = {}
    cited_as: Label | None = None
    """How a part of an instrument without articles is cited, `{n}` being its number: 案例{n}."""
    mark: Mark
    note: str = ""
    checked_on: date | None = None

    def cite(self, article: str) -> Label | None:
        """A part of the instrument as it is cited: 第14条; one that has no number by its name; None for the whole."""
        if not article:
            return None
        if self.cited_as:
            return Label(zh=self.cited_as.zh.format(n=article), en=self.cited_as.en.format(n=article))
        if article[:1].isdigit():
            return Label(zh=f"第{article}条", en=f"Art {article}")
        return self.articles.get(article) or Label(zh=article, en=article)


class DatedValue(LawFile):
    """A value of a parameter from its date on; `value: null` ends it."""

    value: Any
    source: Text
    article: str = ""
    mark: Mark
    checked_on: date
    note: str = ""


class Parameter(LawFile):
    """A number (or table of numbers) of the law, dated."""

    label: Label
    unit: Text
    values: dict[date, DatedValue] = Field(min_length=1)
    note: str = ""


class Place(LawFile):
    """law/places/<division prefix>.yaml: only what differs from the wider place."""

    label: Label
    parameters: dict[str, dict[date, DatedValue]] = {}
    schemes: list[str] = []
    note: str = ""


class Fact(LawFile):
    """A fact of a parcel (or batch, enterprise) beyond the fields of its dataset.

    `sql` is an expression over other facts, or, with `dataset`, an aggregate over that dataset's rows. Rows belong to
    a parcel by `parcel_id`, by `group` (a parcel field such as site_id, for the parcels dataset), or by `join`, a
    predicate over `d.<field>` and `p.<field>`. `empty` is the value when the dataset is held but has no row.
    """

    label: Label
    type: FactType
    unit: str = ""
    sql: Sql
    dataset: str | None = None
    group: str | None = None
    join: Sql | None = None
    empty: bool | int | float | None = None
    of: Literal["parcel", "batch", "enterprise"] = "parcel"


class Rule(LawFile):
    """law/rules/<finding id>.yaml: when a finding holds, since when, under which article."""

    label: Label
    unit: Literal["parcel", "batch", "enterprise"] = "parcel"
    applies: Sql | None = None
    when: Sql
    since: Sql | None = None
    severity: Literal["high", "medium", "low", "notice"]
    evidence: list[str] = []
    cites: list[Cite] = Field(min_length=1)
    message: Label
    verify: dict[str, Check] = {}
    flags: list[Label] = []
    disclosed: Cite | None = None
    """The article under which this finding of a published parcel is told to the public; None: it is not."""
    in_force_from: date | None = None
    in_force_to: date | None = None
    note: str = ""

    @property
    def condition(self) -> str:
        """What must be true for the finding to hold: that the rule applies, and what it asks."""
        return f"({self.applies}) and ({self.when})" if self.applies else self.when


class Condition(LawFile):
    """A requirement or a bar of a tool, with its reason in words."""

    when: Sql
    because: Label
    cites: list[Cite] = []


class Favour(LawFile):
    """What makes a tool the natural one: adds `weight` to its fit."""

    when: Sql
    weight: float
    because: Label


class Months(LawFile):
    """How long a tool takes, from–to months, and who says so."""

    low: float
    high: float
    source: Text
    mark: Mark = "M"


class Tool(LawFile):
    """law/tools/<tool id>.yaml."""

    label: Label
    summary: Label
    class_: Literal["holder_acts", "title", "government", "market", "supply"] = Field(alias="class")
    batch: Literal["promote", "attract", "store", "auction", "lease"] | None = None
    offers: list[Literal["plot", "plant"]] = []
    """The kinds of lot it puts on the public land market."""
    lets: bool = False
    """Whether what it offers is let for a term and comes back, rather than passed on."""
    priority: bool = False
    """Whether the former holder is asked first."""
    addresses: list[str] = Field(min_length=1)
    requires: list[Condition] = []
    blocked_by: list[Condition] = []
    favoured_by: list[Favour] = []
    excludes: list[str] = []
    after: list[str] = []
    procedure: str | None = None
    model: str | None = None
    months: Months | None = None
    papers: list[Label] = []
    risks: list[Label] = []
    flags: list[Label] = []
    cites: list[Cite] = Field(min_length=1)
    precedents: list[str] = []
    in_force_from: date | None = None
    in_force_to: date | None = None
    note: str = ""


class Expectation(LawFile):
    """What a situation must give."""

    findings: dict[str, Literal["yes", "no", "unknown"]] = {}
    tools: dict[str, Literal["open", "check", "closed", "absent"]] = {}
    first: list[str] = []
    """Tools that must be among the first three."""


class Situation(LawFile):
    """law/tests/*.yaml: facts, date, place and what follows, readable by a lawyer."""

    name: Text
    as_of: date
    place: str = ""
    facts: dict[str, Any]
    expect: Expectation


class Calendar(LawFile):
    """law/calendars/<year>.yaml: what the State Council announced for a year."""

    source: Text
    mark: Mark
    checked_on: date
    holidays: dict[date, str]
    workdays: dict[date, str] = {}
    """Weekend days worked in exchange."""
