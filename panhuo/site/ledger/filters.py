"""The conditions the form above a list offers: any field, with the control that fits it, made from spec."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from django.http import QueryDict

from panhuo.inventory.spec import dataset_specs
from panhuo.site import labels
from panhuo.site.ledger.query import RESERVED, fields
from panhuo.site.records import of
from panhuo.site.shelf import Row, kept

Kind = Literal["text", "number", "date", "bool", "code", "list"]
FIRST: Final[dict[str, tuple[str, ...]]] = {
    "parcels": ("division", "findings", "first_tool", "area_m2"),
    "enterprises": ("division", "industry", "status", "tier"),
    "contracts": ("division", "work_state", "start_by"),
}
"""What is offered before anything is chosen."""
CODED: Final = frozenset({"severity", "first_tool", "tier", "plan_tool", "stage", "potential"})
"""Result columns that hold one of a few words."""
MOST: Final = 200
"""As many values of a field as are offered, those of most rows first."""
TESTS: Final[dict[Kind, tuple[str, ...]]] = {
    "text": (".has", ".empty"),
    "number": (".min", ".max", ".empty"),
    "date": (".min", ".max", ".empty"),
    "bool": ("", ".empty"),
    "code": ("", ".empty"),
    "list": ("", ".empty"),
}
"""What follows the field's name in the address, by kind of control."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One field in the form.

    given: what the address asks of it, by test; choices: the values held, with how many rows hold each.
    """

    name: str
    kind: Kind
    given: dict[str, list[str]]
    choices: tuple[Row, ...]
    added: bool

    @property
    def active(self) -> bool:
        return any(self.given.values())

    @property
    def chosen(self) -> list[str]:
        return self.given[""]

    def first(self, test: str) -> str:
        """The value given with a test, or ""."""
        return next(iter(self.given.get(test, [])), "")

    @property
    def has(self) -> str:
        return self.first(".has")

    @property
    def low(self) -> str:
        return self.first(".min")

    @property
    def high(self) -> str:
        return self.first(".max")

    @property
    def empty(self) -> str:
        return self.first(".empty")


def kind(dataset: str, name: str) -> Kind:
    """Which control fits a field."""
    spec = dataset_specs()[dataset].fields.get(name)
    if name in CODED or (spec is not None and spec.codes) or name == "division":
        return "code"
    kinds: dict[str, Kind] = {
        "float": "number",
        "int": "number",
        "date": "date",
        "bool": "bool",
        "list": "list",
    }
    return kinds.get(fields(dataset)[name], "text")


def conditions(person: Any, dataset: str, given: QueryDict) -> list[Condition]:
    """The first conditions, those the address asks for and those it adds, each once."""
    known = fields(dataset)
    asked = [name.partition(".")[0] for name in given if name not in RESERVED]
    names = dict.fromkeys((*FIRST[dataset], *asked, *given.getlist("add")))
    return [_condition(person, dataset, name, given) for name in names if name in known]


def _condition(person: Any, dataset: str, name: str, given: QueryDict) -> Condition:
    sort = kind(dataset, name)
    asked = {test: [v for v in given.getlist(name + test) if v] for test in TESTS[sort]}
    held = _held(person, dataset, name, sort)
    missing = [
        {"id": v, "n": 0} for v in asked.get("", []) if sort != "bool" and v not in {c["id"] for c in held}
    ]
    return Condition(name, sort, asked, (*held, *missing), name in given.getlist("add"))


def _held(person: Any, dataset: str, name: str, sort: Kind) -> list[Row]:
    """The values of a coded field on the person's land, with how many rows hold each."""
    if sort not in ("code", "list"):
        return []
    where = of(person, dataset)
    column = f"unnest({name})" if sort == "list" else f'"{name}"'
    order = "id" if name == "division" else "n DESC, id"
    return kept(
        f"SELECT id, count(*) AS n FROM (SELECT {column} AS id FROM {dataset} WHERE {where.sql}) "
        f"WHERE id IS NOT NULL GROUP BY id ORDER BY {order} LIMIT {MOST}",
        where.values,
    )


def addable(dataset: str, held: list[Condition]) -> list[tuple[str, str]]:
    """The fields that may still be added, with their labels, in the reader's order of names."""
    shown = {c.name for c in held}
    return [(name, labels.field(dataset, name)) for name in fields(dataset) if name not in shown]


def unseen(given: QueryDict, held: list[Condition]) -> list[tuple[str, str]]:
    """The parts of the address that the form does not show: they travel with it."""
    shown = {c.name + test for c in held for test in TESTS[c.kind]} | {"q", "size", "col", "page", "add"}
    return [(k, v) for k in given if k not in shown for v in given.getlist(k) if v]
