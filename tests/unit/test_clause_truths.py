"""Truths of predicates: three-valued, one for each row, in the rows' order."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.match.options import clause_truths
from panhuo.rulebook.patterns import truths


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([True, False, None]))), st.integers(0, 20), st.integers(0, 40))
def test_a_boolean_column_as_numbers(chunks, begin, count):
    column = pa.chunked_array([pa.array(chunk, pa.bool_()) for chunk in chunks], pa.bool_())
    asked = column.slice(begin, count)
    assert truths(asked).tolist() == [{False: 0, True: 1, None: 2}[v] for v in asked.to_pylist()]


def test_a_long_list_of_values_does_not_mix_the_rows_of_several_batches():
    facts = pa.concat_tables([pa.table({"use": ["a", "z", None] * 20_000}), pa.table({"use": ["z"] * 5_000})])
    text = "use IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')"
    assert clause_truths(facts, [text])[text].tolist() == [1, 0, 2] * 20_000 + [0] * 5_000
