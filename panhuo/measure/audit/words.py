"""The words of spec/report_words.yaml, compiled for searching."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from panhuo.rulebook.book import SPEC, read_yaml


@dataclass(frozen=True, slots=True)
class Words:
    """Vocabulary of reports: nouns by group, verbs by kind, units of land and floor, headings."""

    nouns: Mapping[str, str]
    """word → group"""
    noun_pattern: re.Pattern[str]
    deals: Mapping[str, str]
    """what is done with a sum of money (竞得, 转让) → group"""
    verbs: Mapping[str, re.Pattern[str]]
    land_units: frozenset[str]
    floor_units: frozenset[str]
    unitless_after: tuple[str, ...]
    per_area: Mapping[str, str]
    """word → the unit of land it divides by"""
    per_member: re.Pattern[str]
    periods: Mapping[str, int]
    """word → months"""
    contrast: re.Pattern[str]
    headings: re.Pattern[str]

    def last_noun(self, text: str) -> str | None:
        """The group of the last known noun in `text`."""
        found = self.noun_pattern.findall(text)
        return self.nouns[found[-1]] if found else None

    def first_noun(self, text: str) -> str | None:
        """The group of the first known noun in `text`."""
        found = self.noun_pattern.search(text)
        return self.nouns[found[0]] if found else None

    def deal(self, text: str) -> str | None:
        """The group of what is done with a sum just told: 竞得 makes it a cost."""
        return next((group for word, group in self.deals.items() if text.startswith(word)), None)

    def says(self, verb: str, text: str) -> bool:
        """Whether `text` holds a word of that kind."""
        return self.verbs[verb].search(text) is not None


def any_of(words: list[str]) -> re.Pattern[str]:
    """A pattern for any of `words`, longer ones first."""
    return re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)))


@lru_cache(maxsize=1)
def words() -> Words:
    """The packaged vocabulary."""
    given = read_yaml(SPEC / "report_words.yaml")
    nouns = {word: group for group, listed in given["nouns"].items() for word in listed}
    return Words(
        nouns=nouns,
        noun_pattern=any_of(list(nouns)),
        deals={word: group for group, listed in given["nouns_after"].items() for word in listed},
        verbs={kind: any_of(listed) for kind, listed in given["verbs"].items()},
        land_units=frozenset(given["land_units"]),
        floor_units=frozenset(given["floor_units"]),
        unitless_after=tuple(given["unitless_after"]),
        per_area=given["per_area"],
        per_member=any_of(given["per_member"]),
        periods=given["periods"],
        contrast=any_of(given["contrast"]),
        headings=re.compile("|".join(f"(?:{h})" for h in given["headings"])),
    )
