"""Near names found by their rarest pairs of letters are those found by comparing every pair."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from panhuo.inventory.near_names import likest

# Few letters, so that near names are frequent; one of four bytes, one that combines.
LETTERS = "甲乙丙丁科技𠀀\u0301a"
NAMES = st.lists(st.text(LETTERS, max_size=14), max_size=25, unique=True)


@given(wanted=NAMES, held=NAMES, least=st.sampled_from([85.0, 90.0, 100.0]))
@example(wanted=["甲乙p丙丁q戊己"], held=["甲乙丙丁戊己"], least=85.0)  # two letters more break four pairs
@settings(max_examples=150, deadline=None)
def test_as_by_comparing_every_pair(wanted, held, least):
    expected = {}
    for name in filter(None, wanted):
        like, at = max(((fuzz.ratio(name, other), -k) for k, other in enumerate(held)), default=(0.0, 0))
        if like >= least:
            expected[name] = held[-at]
    found = likest(wanted, held, least)
    assert {name: other for name, (other, _) in found.items()} == expected
    assert all(abs(like - fuzz.ratio(name, other)) < 1e-3 for name, (other, like) in found.items())
