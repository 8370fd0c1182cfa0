"""The reference pages say what the law and the specs hold now; every registry is whole and named in both languages."""

import csv
import importlib
from pathlib import Path

import pytest

from panhuo.appraise.compare import APPRAISALS
from panhuo.diagnose.findings import FINDINGS
from panhuo.flow import FLOW
from panhuo.inventory.conflicts import CONFLICTS_SCHEMA
from panhuo.inventory.spec import ARROW_TYPES, code_rows, dataset_specs, units
from panhuo.match.options import OPTIONS
from panhuo.match.routes import ROUTES
from panhuo.report.markdown import table
from panhuo.report.reference import pages, value_text, write
from panhuo.report.reference_data import flow_stages
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.spec import LONG_LISTS
from panhuo.score.engine import SCORES
from panhuo.score.items import ITEMS
from panhuo.score.potential import GRADES
from panhuo.workspace.plans import PLAN

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
RESULTS = {path.stem: read_yaml(path) for path in sorted((SPEC / "results").glob("*.yaml"))}
SCHEMAS = {
    "findings": FINDINGS,
    "options": OPTIONS,
    "routes": ROUTES,
    "scores": SCORES,
    "score_items": ITEMS,
    "appraisals": APPRAISALS,
    "plan": PLAN,
    "conflicts": CONFLICTS_SCHEMA,
    "potential": GRADES,
}
OF_FACTS = {"facts"}
"""Written tables whose columns are the fields and facts themselves."""
OFFICIAL_LISTS = {*LONG_LISTS, "industry_former"}
"""National code lists, published in Chinese only."""
BOOK = Rulebook.load()
LABELLED = [
    (kind, name)
    for kind in ("rules", "tools", "sources", "parameters", "facts", "places")
    for name in getattr(BOOK, kind)
]


def test_docs_reference_is_what_the_law_and_the_specs_give_now():
    kept = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*")}
    made = pages()
    stale = sorted(name for name in kept.keys() | made.keys() if kept.get(name) != made.get(name))
    assert not stale, f"run: python -m panhuo.report.reference docs/reference ({', '.join(stale)})"


def test_pages_are_written_where_asked(tmp_path):
    written = write(tmp_path / "reference")
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == pages()


@pytest.mark.parametrize("kind", ["rules", "tools", "sources"])
def test_every_item_of_the_law_has_its_section(kind):
    text = pages()[f"{kind}.md"]
    assert [name for name in getattr(BOOK, kind) if f"\n## {name}\n" not in text] == []


def test_an_unverified_value_is_flagged_and_a_verified_one_is_not():
    rows = [line for line in pages()["parameters.md"].splitlines() if line.startswith("| `")]
    values = [(name, leaf) for name, p in BOOK.parameters.items() for leaf in p.values.values()]
    local = [
        leaf
        for place in BOOK.places.values()
        for dated in place.parameters.values()
        for leaf in dated.values()
    ]
    marks = [leaf.mark for _, leaf in values] + [leaf.mark for leaf in local]
    assert len(rows) == len(marks)
    assert sum("未核实 unverified" in row for row in rows) == marks.count("M") > 0


def test_a_bar_or_a_line_break_in_a_value_does_not_break_a_table():
    assert table(("a",), [("x | y\nz",)]).splitlines()[2] == "| x \\| y z |"


def test_a_long_table_of_values_is_shown_by_its_size():
    assert value_text({f"industry {n}": n for n in range(40)}).endswith("…（40 项 entries）")
    assert value_text({"a": 1, "b": 2}) == "a: 1；b: 2"


def test_the_stages_read_from_the_text_of_flow_are_its_stages():
    names = ("name", "reads", "writes", "code")
    assert flow_stages() == [{name: getattr(stage, name) for name in names} for stage in FLOW]


@pytest.mark.parametrize("stage", FLOW, ids=lambda stage: stage.name)
def test_a_stage_reads_and_writes_what_is_specified_and_its_code_exists(stage):
    known = {*dataset_specs(), *RESULTS, *OF_FACTS, "files", "problems"}
    assert {*stage.reads, *stage.writes} <= known
    assert found(stage.code) is not None


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_table_is_made_by_a_function_that_exists(name):
    assert callable(found(RESULTS[name]["made_by"]))
    assert set(RESULTS[name]["key"]) <= set(RESULTS[name]["columns"])
    for column in RESULTS[name]["columns"].values():
        assert column["label"]["zh"] and column["label"]["en"]
        assert column.get("unit", "m2") in units()
        codes = column.get("codes", {})
        assert all(isinstance(value, str) for value in codes), "YAML reads a bare yes as true"
        assert all(words["zh"] and words["en"] for words in codes.values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_columns_of_a_result_table_are_those_written(name):
    schema, columns = SCHEMAS[name], RESULTS[name]["columns"]
    assert list(columns) == schema.names
    kinds = {column: str(ARROW_TYPES[spec["type"]]).rstrip("3264") for column, spec in columns.items()}
    assert kinds == {field.name: str(field.type).rstrip("3264") for field in schema}


def found(dotted: str) -> object:
    """What a dotted name stands for: a module or something in one."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, name = dotted.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("kind", "name"), LABELLED)
def test_an_item_of_the_law_has_its_name_in_both_languages(kind, name):
    label = getattr(BOOK, kind)[name].label
    assert label.zh.strip()
    assert label.en.strip()
    assert any("一" <= c <= "鿿" for c in label.zh) or label.zh.isascii()
    assert not any("一" <= c <= "鿿" for c in label.en)


@pytest.mark.parametrize("name", dataset_specs())
def test_a_field_has_its_name_in_both_languages(name):
    for field in dataset_specs()[name].fields.values():
        assert field.label.zh.strip()
        assert field.label.en.strip()
        assert not any("一" <= c <= "鿿" for c in field.label.en)


@pytest.mark.parametrize("path", sorted((SPEC / "codes").glob("*.csv")), ids=lambda path: path.stem)
def test_a_code_has_its_name_in_both_languages_unless_the_list_is_national(path):
    rows = code_rows(path.stem)
    assert rows
    assert all(row["zh"].strip() for row in rows)
    if path.stem not in OFFICIAL_LISTS:
        assert all(row["en"].strip() for row in rows)
        assert len({row["code"] for row in rows}) == len(rows)


def test_each_term_of_the_glossary_stands_once():
    with (SPEC / "glossary.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(None not in row and None not in row.values() for row in rows), "a comma splits a cell"
    for column in ("id", "zh", "en"):
        values = [row[column].strip() for row in rows]
        assert all(values)
        assert len(set(values)) == len(values)
    assert all(row["definition_zh"] and row["definition_en"] for row in rows)
    assert {row["unit"] for row in rows if row["unit"]} <= set(units())
    assert {row["source"] for row in rows if row["source"]} <= set(BOOK.sources)


def test_a_figure_of_our_own_is_not_called_stated():
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in pages()["precedents.md"].splitlines()}
    ours, theirs = (
        next(r for label, r in rows.items() if label.startswith(name))
        for name in ("折合建筑面积", "年节约标准煤")
    )
    assert "not stated" in ours and "2.2 " not in ours and "agree" not in ours
    assert "约7480 吨" in theirs and "agree" in theirs
