"""The inputs of appraisals that the cases' texts state, as the `inputs.yaml` an office keeps beside its ledger.

Nothing is typed twice: a value is the stated figure of the precedent in the input's unit, its line told in a comment.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from panhuo.appraise.inputs import InputSpec, money_spec
from panhuo.core.figures import FigureError, parse_unit
from panhuo.rulebook.precedents import Figure, InputFrom, Precedent
from panhuo.rulebook.quantities import quantities

HEAD: Final = """\
# 案例原文写明的测算输入，供 panhuo compare / plan 使用；原文没有写的不在此列，测算时列为缺少。
# Inputs of appraisals that the cases' texts state; what a text leaves open is not here and is asked for by name.
parcels:
"""


def inputs_text(cases: Mapping[str, Precedent]) -> str:
    """`inputs.yaml` of the cases, each value with the line of the source it comes from."""
    return HEAD + "\n".join(line for case in cases.values() for line in _lines(case)) + "\n"


def _lines(case: Precedent) -> Iterator[str]:
    figures = {figure.id: figure for figure in case.figures}
    for given, values in case.inputs.items():
        for parcel in case.unit_ids(given):
            yield f"  {parcel}:  # {case.label.zh}"
            for name, source in values.items():
                figure = figures[source.figure]
                told = f"{figure.stated.qualifier}{figure.stated.value}{figure.stated.unit}"
                value = _written(source, figures, money_spec().inputs[name])
                yield f"    {name}: {value}  # 第{figure.where}行 {figure.label.zh} {told}"


def _written(source: InputFrom, figures: Mapping[str, Figure], spec: InputSpec) -> str:
    value = _in_unit(figures[source.figure], spec.unit)
    if source.low is None or source.high is None:
        return value
    low, high = (_in_unit(figures[name], spec.unit) for name in (source.low, source.high))
    return f"{{value: {value}, low: {low}, high: {high}}}"


def _in_unit(figure: Figure, unit: str) -> str:
    """The stated value in the input's unit, of the same dimension. Raises FigureError for an unknown unit."""
    units = quantities().units
    given, wanted = parse_unit(figure.stated.unit, units), parse_unit(unit, units)
    if given.dimension != wanted.dimension:
        raise FigureError(f"{figure.id}: {given.name} is no {wanted.name}")
    return f"{float(Fraction(figure.stated.value) * given.factor / wanted.factor):.10g}"
