"""Colours that say something: maps and charts take them from here, so that a thing has one colour everywhere.

Categories are Paul Tol's "muted" scheme and the scales ColorBrewer's, both told apart by colour-blind readers.
"""

from typing import Final

CATEGORIES: Final = (
    "#cc6677", "#332288", "#ddaa33", "#117733", "#88ccee", "#882255", "#44aa99", "#999933", "#aa4499",
)  # fmt: skip
OTHER: Final = "#b3bfc2"
SCALES: Final[dict[str, dict[str, str]]] = {
    "severity": {"high": "#993404", "medium": "#ec7014", "low": "#fec44f", "notice": "#a6bddb"},
    "tier": {"A": "#2166ac", "B": "#92c5de", "C": "#f4a582", "D": "#b2182b"},
    "stage": {"to_verify": "#ddaa33", "found": "#cc6677", "planned": "#117733", "clear": "#a9c1c7"},
    "potential": {"A": "#005a32", "B": "#41ab5d", "C": "#addd8e", "D": "#f7fcb9", "unknown": "#c9d1d3"},
}
"""The values of a scale, the weightiest first, and their colours."""


def colours(by: str, values: list[str]) -> list[str]:
    """A colour for each of `values`: of the scale named `by`, or categories in turn; OTHER when they run out."""
    if scale := SCALES.get(by):
        return [scale.get(value, OTHER) for value in values]
    return [CATEGORIES[i] if i < len(CATEGORIES) else OTHER for i in range(len(values))]
