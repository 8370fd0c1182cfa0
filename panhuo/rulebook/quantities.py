"""Units and words of degree of spec/units.yaml and spec/quantities.yaml, as core.figures wants them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from panhuo.core.figures import PLAIN, Bound, Unit
from panhuo.rulebook.book import SPEC, read_yaml

DIMENSIONLESS = {"ratio", "count", "none", "angle"}


@dataclass(frozen=True, slots=True)
class Quantities:
    """Unit names, and the words that soften a number, before it and after it, with what they mean."""

    units: Mapping[str, Unit]
    before: Mapping[str, Bound]
    after: Mapping[str, Bound]
    no_degree: Mapping[str, str]
    """word of degree → the characters after which it ends a longer word that softens nothing (节约)"""

    def bound(self, word: str | None) -> Bound | None:
        """What a qualifier means; None for none. Raises KeyError for an unknown word."""
        if not word:
            return None
        return self.before[word] if word in self.before else self.after[word]


@lru_cache(maxsize=1)
def quantities() -> Quantities:
    """The quantities of the packaged spec."""
    given = read_yaml(SPEC / "quantities.yaml")
    units = {name: unit for row in read_yaml(SPEC / "units.yaml").values() for name, unit in _names(row)}
    units |= {name: _unit(name, row["kind"], row["factor"]) for name, row in given["units"].items()}
    units |= {name: Unit(name, PLAIN, Fraction(1), exact=True) for name in given["counters"]}
    units |= {name: Unit(name, PLAIN, Fraction(10_000)) for name in given["counted_in_wan"]}
    words = given["qualifiers"]
    return Quantities(
        units=units,
        before={word: bound for bound, row in words.items() for word in row["before"]},
        after={word: bound for bound, row in words.items() for word in row["after"]},
        no_degree=given["no_degree"],
    )


def _names(row: Mapping[str, Any]) -> list[tuple[str, Unit]]:
    return [(name, _unit(name, row["kind"], row["factor"])) for name in row["names"] if "/" not in name]


def _unit(name: str, kind: str, factor: str | float) -> Unit:
    dimension = PLAIN if kind in DIMENSIONLESS else {kind: 1}
    return Unit(name, dimension, Fraction(str(factor)), exact=kind == "count")
