"""Survey forms as data (spec/surveys): which fields a visit answers; words, units and codes are those of the fields."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from pydantic import Field

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import FieldSpec, SpecFile, Words, code_list, dataset_specs, units
from panhuo.rulebook.book import SPEC, read_yaml

PARCELS: Final = "parcels"


class Question(SpecFile):
    """One question of a form.

    id: the field's name where nothing else is said; when: other question → its answers under which this one is asked;
    facts: which missing facts of the law an answer settles, where it is not the one named as the field.
    """

    field: str
    id: str = ""
    required: bool = False
    long: bool = False
    only_new: bool = False
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    hint: Words | None = None
    facts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the question is called in files."""
        return self.id or self.field

    @property
    def settles(self) -> tuple[str, ...]:
        """The facts of the law that an answer settles."""
        return self.facts or (self.field,)


class Group(SpecFile):
    """Questions about rows of one dataset. stamp: the field that takes the day of the visit."""

    questions: tuple[Question, ...]
    stamp: str = ""


class SurveyForm(SpecFile):
    """spec/surveys/<name>.yaml. far_m: a position farther from the outline [m], beyond its accuracy, is doubted."""

    label: Words
    definition: Words
    far_m: float
    photos_least: int
    photos_most: int
    may_add: bool = False
    of: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Which parcels it is for: field → values; all that are flagged when empty."""
    groups: dict[str, Group]

    def questions(self) -> Iterator[tuple[str, Question]]:
        """(dataset, question) in the order asked."""
        for dataset, group in self.groups.items():
            for question in group.questions:
                yield dataset, question

    def is_far(self, distance_m: float | None, accuracy_m: float | None) -> bool:
        """Whether a position is so far from the outline that its accuracy does not explain it."""
        return (distance_m or 0.0) - (accuracy_m or 0.0) > self.far_m

    def spec(self, dataset: str, question: Question) -> FieldSpec:
        """The field a question answers."""
        return dataset_specs()[dataset].fields[question.field]


@cache
def survey_forms() -> dict[str, SurveyForm]:
    """Every form by name."""
    return {
        p.stem: SurveyForm.model_validate(read_yaml(p)) for p in sorted((SPEC / "surveys").glob("*.yaml"))
    }


def survey_form(name: str) -> SurveyForm:
    """The form of that name. Raises PanhuoError for a name that is none."""
    forms = survey_forms()
    if name not in forms:
        raise PanhuoError(
            f"没有调查表 {name!r} no such survey form",
            remedy="可用 available: " + "、".join(f"{k}（{f.label.zh}）" for k, f in forms.items()),
        )
    return forms[name]


def question_label(field: FieldSpec) -> Words:
    """A field's label with its unit, as a question asks it."""
    unit = units().get(field.unit)
    if unit is None or field.unit == "count":
        return field.label
    if field.unit == "ratio":
        return Words(zh=f"{field.label.zh}（0–1）", en=f"{field.label.en} (0–1)")
    return Words(zh=f"{field.label.zh}（{unit.label.zh}）", en=f"{field.label.en} ({unit.label.en})")


def choices_of(field: FieldSpec) -> dict[str, Words]:
    """The codes a question offers, with their words. Not to know is to leave it empty, so no code says it."""
    listed = code_list(field.codes) if field.codes else {}
    return {code: Words(zh=row["zh"], en=row["en"]) for code, row in listed.items() if code != "unknown"}


def visit_label(name: str) -> Words:
    """What a field of the visit itself is called."""
    return dataset_specs()["visits"].fields[name].label
