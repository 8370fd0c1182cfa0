"""The law as an appraisal reads it: one place, any date, every value with its leaf."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from panhuo.rulebook.book import Rulebook, Value


@dataclass(frozen=True)
class Law:
    """A rulebook seen from one place (division code, "" for the nation)."""

    rulebook: Rulebook
    place: str = ""

    def leaf(self, name: str, on: date) -> Value:
        """The dated value of parameter `name` here on `on`; PanhuoError when no law of that date is known."""
        return self.rulebook.parameter(name, on, self.place)

    def number(self, name: str, on: date) -> float:
        """The bare number of `leaf`."""
        return float(self.leaf(name, on).value)

    def is_in_force(self, name: str, on: date) -> bool:
        """Whether a boolean parameter is true on `on`; False when it has ended or not begun."""
        return self.rulebook.has_value(name, on) and bool(self.leaf(name, on).value)


def leaf_dict(leaf: Value) -> dict[str, Any]:
    """A leaf as the chain shows it: id, value, unit, source, article, mark, start, place, unverified."""
    return {
        "id": leaf.name,
        "value": leaf.value,
        "unit": leaf.unit,
        "source": leaf.source,
        "article": leaf.article,
        "mark": leaf.mark,
        "start": leaf.start.isoformat(),
        "place": leaf.place,
        "unverified": leaf.unverified,
    }
