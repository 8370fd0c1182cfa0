"""What the result hangs on: one input at a time (tornado) and all together (Monte Carlo with a seed)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from panhuo.appraise.appraisal import Appraisal
from panhuo.appraise.cashflow import Party
from panhuo.appraise.inputs import InputMark, Inputs, money_spec, within
from panhuo.appraise.law import Law
from panhuo.appraise.money import ratio, wan
from panhuo.core.problems import PanhuoError

Evaluate = Callable[[Inputs], Appraisal]


@dataclass(frozen=True, slots=True)
class Swing:
    """NPV [万元] of one party with one input at its low and high; `range_mark`: the range is given or the default."""

    name: str
    low: float
    high: float
    npv_low: float
    npv_high: float
    range_mark: InputMark = "defaulted"

    @property
    def width(self) -> float:
        """How far the result moves."""
        return abs(self.npv_high - self.npv_low)


def spreads(inputs: Inputs, law: Law, on: date) -> Mapping[str, tuple[float, float]]:
    """Low and high of each uncertain input with a value: as given, else ± the default dispersion within its bounds."""
    share = law.number("finance.dispersion_default", on)
    specs, found = money_spec().inputs, {}
    for name, item in inputs.items.items():
        if item.bounds:
            found[name] = item.bounds
        elif specs[name].spread and item.value:
            low, high = sorted((float(item.value) * (1 - share), float(item.value) * (1 + share)))
            found[name] = within(name, low, high)
    return found


def tornado(
    inputs: Inputs, party: Party, evaluate: Evaluate, ranges: Mapping[str, tuple[float, float]]
) -> list[Swing]:
    """One input at a time at its low and high; widest first, ties by name; inputs that move nothing are left out."""
    swings = []
    for name, (low, high) in ranges.items():
        at_low = _npv(evaluate(inputs.with_number(name, low)), party)
        at_high = _npv(evaluate(inputs.with_number(name, high)), party)
        mark: InputMark = "given" if inputs.items[name].bounds else "defaulted"
        swings.append(Swing(name, wan(low), wan(high), at_low, at_high, mark))
    return sorted((s for s in swings if s.width > 0), key=lambda s: (-s.width, s.name))


@dataclass(frozen=True)
class Spread:
    """Distribution of a party's NPV [万元] over the runs; `loss_share` of them are below zero."""

    runs: int
    seed: int
    p10: float
    p50: float
    p90: float
    mean: float
    loss_share: float


def monte_carlo(
    inputs: Inputs,
    parties: Sequence[Party],
    evaluate: Evaluate,
    ranges: Mapping[str, tuple[float, float]],
    runs: int,
    seed: int,
) -> dict[Party, Spread]:
    """All uncertain inputs drawn together, each triangular over its range with its value as the mode.

    The same seed gives the same draws on every machine (PCG64). Raises PanhuoError for fewer than two runs.
    """
    if runs < 2:
        raise PanhuoError("模拟次数至少为 2 (at least two runs)", where=f"runs = {runs}")
    rng = np.random.Generator(np.random.PCG64(seed))
    draws = {name: _draw(rng, inputs.number(name), bounds, runs) for name, bounds in sorted(ranges.items())}
    results: dict[Party, list[float]] = {party: [] for party in parties}
    for n in range(runs):
        drawn = inputs
        for name, values in draws.items():
            drawn = drawn.with_number(name, float(values[n]))
        appraisal = evaluate(drawn)
        for party in parties:
            results[party].append(_npv(appraisal, party))
    return {party: _summary(np.array(values), runs, seed) for party, values in results.items()}


def _draw(rng: np.random.Generator, mode: float, bounds: tuple[float, float], runs: int) -> Any:
    low, high = bounds
    return np.full(runs, mode) if low == high else rng.triangular(low, min(max(mode, low), high), high, runs)


def _summary(values: Any, runs: int, seed: int) -> Spread:
    p10, p50, p90 = (wan(float(v)) for v in np.quantile(values, [0.1, 0.5, 0.9]))
    return Spread(runs, seed, p10, p50, p90, wan(float(values.mean())), ratio(float((values < 0).mean()), 4))


def _npv(appraisal: Appraisal, party: Party) -> float:
    totals = appraisal.totals.get(party)
    return totals.npv_wan if totals else 0.0
