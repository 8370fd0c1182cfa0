"""A number together with how it came: formula, terms, law leaves. What makes every figure open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from panhuo.appraise.law import leaf_dict
from panhuo.appraise.money import total, wan
from panhuo.rulebook.book import Value


@dataclass(frozen=True)
class Calc:
    """`value` = `formula` with `terms`; `law` holds the leaves behind it."""

    value: float
    formula: str
    terms: Mapping[str, float] = field(default_factory=dict)
    law: tuple[Value, ...] = ()

    @property
    def unverified(self) -> bool:
        """Whether a value of the law behind it could not be confirmed."""
        return any(leaf.unverified for leaf in self.law)

    def as_dict(self) -> dict[str, Any]:
        """The chain behind the number."""
        return {
            "value": self.value,
            "formula": self.formula,
            "terms": dict(self.terms),
            "law": [leaf_dict(leaf) for leaf in self.law],
        }


def given(value: float, name: str) -> Calc:
    """An amount [万元] taken as it stands from input `name`."""
    return Calc(wan(value), name, {name: value})


def product(base: float, leaf: Value, base_name: str) -> Calc:
    """`base` [万元] × the rate of `leaf`."""
    rate = float(leaf.value)
    return Calc(wan(base * rate), f"{base_name} × {leaf.name}", {base_name: base, leaf.name: rate}, (leaf,))


def plus(*parts: Calc) -> Calc:
    """Sum of amounts [万元] with all their terms and leaves."""
    terms: dict[str, float] = {}
    law: dict[str, Value] = {}
    for part in parts:
        terms |= part.terms
        law |= {leaf.name: leaf for leaf in part.law}
    formula = " + ".join(f"({part.formula})" for part in parts)
    return Calc(total(part.value for part in parts), formula, terms, tuple(law.values()))
