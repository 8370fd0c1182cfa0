"""The audit of files as offices have them, and the words for files it cannot read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import docx
import openpyxl
import pytest
import typst
from docx.enum.text import WD_COLOR_INDEX
from noto_cjk_sans_otc import FONT_PATH

from panhuo.core.problems import PanhuoError
from panhuo.workspace.audits import audit_file

TEXT = (
    "园区工业用地384亩，年产值60亿元，亩均产值1676.9万元。\n"
    "全市存量237处：市政34处、体育26处、停车32处、交通78处、绿地16处、其他51处。\n"
)


def faults(result):
    return [row for row in result["checks"] if row["status"] == "disagree"]


@pytest.fixture
def report(tmp_path):
    def write(name):
        path = tmp_path / name
        if path.suffix == ".docx":
            document = docx.Document()
            for line in TEXT.splitlines():
                paragraph = document.add_paragraph()
                paragraph.add_run(line[:9])
                paragraph.add_run(line[9:]).bold = True
            document.save(str(path))
        elif path.suffix == ".pdf":
            body = TEXT.replace("\n", "\n\n")
            source = f'#set text(font: "Noto Sans CJK SC", lang: "zh")\n{body}'
            path.write_bytes(typst.compile(source.encode(), font_paths=[str(Path(str(FONT_PATH)).parent)]))
        else:
            path.write_bytes(TEXT.encode("gb18030" if "gbk" in name else "utf-8"))
        return path

    return write


@pytest.mark.parametrize("name", ["a.txt", "gbk.txt", "a.md", "a.docx", "a.pdf"])
def test_every_kind_of_file_gives_the_same_verdicts(report, name):
    result = audit_file(report(name))
    (fault,) = faults(result)
    assert (fault["stated"], fault["computed"], fault["unit"]) == (1676.9, 1562.5, "万元/亩")
    assert [r["status"] for r in result["checks"] if r["text"] == "237处"] == ["agree"]


def test_offsets_are_those_of_the_text(report):
    text = report("a.txt").read_text(encoding="utf-8")
    for row in audit_file(report("a.txt"))["checks"]:
        assert text[row["start"] : row["end"]] == row["text"]


def test_a_docx_copy_marks_the_figure_and_keeps_the_rest(report, tmp_path):
    copy = tmp_path / "copy.docx"
    audit_file(report("a.docx"), copy=copy)
    first = docx.Document(str(copy)).paragraphs[0]
    assert first.text == TEXT.splitlines()[0]
    red = [run.text for run in first.runs if run.font.highlight_color == WD_COLOR_INDEX.RED]
    assert "".join(red) == "1676.9万元"
    assert all(run.bold for run in first.runs if run.font.highlight_color == WD_COLOR_INDEX.RED)


def test_an_html_copy_marks_the_figure(report, tmp_path):
    copy = tmp_path / "copy.html"
    audit_file(report("a.txt"), copy=copy)
    page = copy.read_text(encoding="utf-8")
    assert 'class="disagree"' in page
    assert "1562.5万元/亩" in page


def sheet(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_a_total_row_is_held_against_its_rows(tmp_path):
    rows = [
        ["县区", "宗数", "面积（亩）"],
        ["甲", 12, 310.5],
        ["乙", 7, 122.25],
        ["丙", 9, 88.5],
        ["合计", 28, 512.25],
    ]
    (fault,) = faults(audit_file(sheet(tmp_path / "a.xlsx", rows)))
    assert (fault["where"], fault["stated"], fault["computed"]) == ("Sheet 第5行第3列", 512.25, 521.25)


def test_a_derived_column_is_found_and_its_slip_named(tmp_path):
    rows = [["园区", "税收（万元）", "面积（亩）", "亩均税收（万元）"]]
    rows += [["甲", 3000, 120, 25], ["乙", 4410, 210, 21], ["丙", 966, 42, 32], ["丁", 1530, 85, 18]]
    (fault,) = faults(audit_file(sheet(tmp_path / "a.xlsx", rows)))
    assert (fault["stated"], fault["computed"]) == (32, 23)


def test_a_right_table_raises_nothing(tmp_path):
    rows = [["县区", "基数", "处置", "处置率%"], ["甲", 200, 50, 25], ["乙", 300, 90, 30], ["丙", 80, 32, 40]]
    rows += [["合计", 580, 172, 29.66]]
    assert faults(audit_file(sheet(tmp_path / "a.xlsx", rows))) == []


def test_a_list_of_figures_is_recomputed(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        "- {id: gain, value: 5826, unit: 万元}\n- {id: base, value: 15240.3, unit: 万元}\n"
        "- {id: rate, value: 36.23, unit: '%', formula: gain / base}\n"
        "- {id: odd, value: 3, unit: 亩, formula: gain / base}\n",
        encoding="utf-8",
    )
    result = audit_file(path)
    assert [(r["where"], r["status"]) for r in result["checks"]] == [
        ("rate", "disagree"),
        ("odd", "uncheckable"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.txt", b""),
        ("broken.docx", b"PK not a zip"),
        ("broken.xlsx", b"nothing"),
        ("broken.pdf", b"%PDF-1.7 nothing"),
        ("bad.yaml", b"a: [1"),
        ("other.yaml", b"a: 1"),
        ("odd.yaml", b"- {id: a, value: 1, unit: furlong, formula: a}"),
        ("picture.png", b"\x89PNG"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PanhuoError) as told:
        audit_file(path)
    assert told.value.what


def test_missing_files_folders_and_odd_copies_are_told(tmp_path, report):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(PanhuoError):
            audit_file(path)
    with pytest.raises(PanhuoError):
        audit_file(report("a.txt"), copy=tmp_path / "copy.png")


def test_the_verb_prints_json(report):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from panhuo.cli import main; main()",
            "audit",
            str(report("a.txt")),
            "--json",
        ],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0
    keys = {"text", "start", "end", "quantity", "stated", "computed", "unit", "status", "arithmetic"}
    assert all(keys <= set(row) for row in json.loads(done.stdout)["checks"])
