"""Labels of figures: the words around them, and how much two labels have in common."""

from panhuo.measure.audit.quantities import Quantity, Report


def lead_of(report: Report, claim: Quantity) -> str:
    """The clause up to a claim."""
    text = report.plain.text
    start = max(text.rfind(stop, 0, claim.at) for stop in "，。；：\n") + 1
    return text[start : claim.at]


def bigrams(text: str) -> set[str]:
    """Pairs of neighbouring Chinese characters."""
    return {text[i : i + 2] for i in range(len(text) - 1) if not text[i : i + 2].isascii()}


def shared(a: str, b: str) -> int:
    """The length of the longest run of characters, none of them ASCII, that two texts have in common."""
    lengths: dict[int, int] = {}
    longest = 0
    for x in a:
        lengths = {j: lengths.get(j - 1, 0) + 1 for j, y in enumerate(b) if x == y and not x.isascii()}
        longest = max(longest, *lengths.values()) if lengths else longest
    return longest
