"""Running an appraisal: which model a tool has, its inputs resolved, the result closed or refused by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from panhuo.appraise.appraisal import Appraisal, Book, close
from panhuo.appraise.inputs import Inputs, money_spec, resolve
from panhuo.appraise.law import Law
from panhuo.appraise.models import bonds, build, deals, state, title
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook, read_folder
from panhuo.rulebook.schema import Cite, Label, LawFile

ALWAYS: Final = ("discount_rate",)
RUN: Final[Mapping[str, Callable[[Book], None]]] = {
    "topup_transfer": title.topup_transfer,
    "capital_contribution": title.capital_contribution,
    "registration": title.registration,
    "build_out": build.build_out,
    "operation": build.operation,
    "heritage_operation": build.heritage_operation,
    "lease_out": build.lease_out,
    "idle_fee": state.idle_fee,
    "free_resumption": state.free_resumption,
    "idle_extension": state.idle_extension,
    "take_back": state.take_back,
    "land_swap": state.land_swap,
    "restoration": state.restoration,
    "bond_take_back": bonds.bond_take_back,
    "bond_plants": bonds.bond_plants,
    "equity_staged": deals.equity_staged,
    "asset_sale": deals.asset_sale,
    "court_auction": deals.court_auction,
    "mortgaged_split": deals.mortgaged_split,
    "shared_plant": deals.shared_plant,
    "term_choice": deals.term_choice,
    "supply": deals.supply,
}
"""The function of each model of law/models."""


class ModelFile(LawFile):
    """law/models/<id>.yaml: the tools a model appraises and the inputs it may read.

    needs: inputs without which there is no result; `a|b` asks for one of them, `a+b` in such a choice for both.
    may: inputs used where they are there.
    """

    label: Label
    summary: Label
    tools: list[str]
    needs: list[str]
    may: tuple[str, ...] = ()
    cites: tuple[Cite, ...] = ()

    @property
    def names(self) -> list[str]:
        """Every input the model may read, needed ones first, each once."""
        needed = [n for need in self.needs for part in need.split("|") for n in part.split("+")]
        return list(dict.fromkeys([*needed, *self.may, *ALWAYS]))


class MissingInputsError(PanhuoError):
    """An appraisal refused because inputs are missing; `missing` holds what is asked for (a choice as `a|b`)."""

    def __init__(self, tool_id: str, missing: list[str]) -> None:
        self.missing = missing
        spec = money_spec().inputs
        words = [
            " / ".join(f"{spec[n].label.zh} {n}" for n in m.replace("+", "|").split("|")) for m in missing
        ]
        super().__init__(
            f"缺少输入，不作测算 (inputs are missing, no appraisal): {tool_id}",
            where="; ".join(words),
            why="结果不得建立在臆造的数字上 (a result may not rest on invented figures)",
            remedy="在 --inputs 文件中给出 (give them in the --inputs file)",
        )


@lru_cache(maxsize=4)
def model_files(root: Path) -> Mapping[str, ModelFile]:
    """The models of a law folder by id."""
    return read_folder(root / "models", ModelFile)


def model_of(tool_id: str, rulebook: Rulebook) -> str | None:
    """The id of the model that appraises a tool, or None when none does."""
    return next((mid for mid, model in model_files(rulebook.root).items() if tool_id in model.tools), None)


@dataclass(frozen=True)
class Case:
    """What is appraised: a parcel on a date, with what the user gave and what the ledger holds."""

    parcel_id: str
    on: date
    place: str
    given: Mapping[str, Any]
    ledger: Mapping[str, Any]
    source: str = ""


def unmet(model: ModelFile, inputs: Inputs) -> list[str]:
    """The needs of a model that its inputs do not meet."""
    return [n for n in model.needs if not any(not inputs.missing(p.split("+")) for p in n.split("|"))]


def prepare(
    tool_id: str, case: Case, rulebook: Rulebook, given: Mapping[str, Any] | None = None
) -> tuple[str, Inputs]:
    """The model and resolved inputs of a tool for a case.

    Raises MissingInputsError with the names of what is missing, PanhuoError for a tool no model appraises.
    """
    model_id = model_of(tool_id, rulebook)
    if model_id is None:
        raise PanhuoError(
            f"没有测算该工具的模型 (no model appraises this tool): {tool_id}",
            remedy="在 law/models 中登记 (register it in law/models)",
        )
    model = model_files(rulebook.root)[model_id]
    values = case.given if given is None else given
    inputs = resolve(model.names, values, case.ledger, Law(rulebook, case.place), case.on, case.source)
    if missing := unmet(model, inputs):
        raise MissingInputsError(tool_id, missing)
    return model_id, inputs


def evaluate(tool_id: str, model_id: str, inputs: Inputs, case: Case, rulebook: Rulebook) -> Appraisal:
    """The appraisal of prepared inputs."""
    book = Book(inputs, Law(rulebook, case.place), case.on)
    RUN[model_id](book)
    tool = rulebook.tools.get(tool_id)
    if tool and tool.months:
        book.months = (tool.months.low + tool.months.high) / 2
    risks = [{"zh": risk.zh, "en": risk.en} for risk in tool.risks] if tool else []
    return close(book, case.parcel_id, tool_id, model_id, inputs.number("discount_rate"), risks)


def appraise(tool_id: str, case: Case, rulebook: Rulebook) -> Appraisal:
    """One tool appraised for one case; refusals as in `prepare`."""
    model_id, inputs = prepare(tool_id, case, rulebook)
    return evaluate(tool_id, model_id, inputs, case, rulebook)
