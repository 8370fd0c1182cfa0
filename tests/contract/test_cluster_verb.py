"""`panhuo cluster`: case 17's claims against its own inputs, and the firms of an industry of a place."""

import pytest
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

from panhuo.workspace.imports import Options, import_files

CASE_17 = ("--land-mu", "89.81", "--land-mu", "59.18", "--floor-m2", "200000", "--output-wan", "521500")
CLAIMS = ("land_mu=148.99", "far=2.3", "output_per_mu=350", "tax_per_mu=19.68")

FIRMS = (
    "企业编号,企业名称,行业,行政区,年度,税收（万元）,总产值（万元）\n"
    "E0,甲,2422,431122,2024,100,5000\nE1,乙,C2423,431122,2024,200,\nE2,丙,3011,431122,2024,7,7\n"
    "E3,丁,2422,430112,2024,9,9\nE0,甲,2422,431122,2023,1,1\nE0,甲,2422,431122,,3,3\n"
)
PARCELS = "宗地代码,宗地面积(亩),建筑面积（平方米）,行政区,经度,纬度\n" + "".join(
    f"P{k},15,12000,431122,111.3{k},26.3\n" for k in range(4)
)
USES = "宗地代码,企业编号,用地方式\n" + "".join(f"P{k},E{k},自有\n" for k in range(4))


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """Three firms of one county, two of them of industry 24, and a guitar maker elsewhere."""
    folder = tmp_path_factory.mktemp("cluster")
    for name, text in {"parcels": PARCELS, "enterprises": FIRMS, "occupancies": USES}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        import_files(folder / "ws", [folder / f"{name}.csv"], Options(name, place="431122"))
    return folder / "ws"


def told(run, *words):
    outcome = run("cluster", *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_case_17_claims_are_held_to_its_own_inputs(panhuo):  # noqa: F811
    result = told(panhuo, *CASE_17, *(word for claim in CLAIMS for word in ("--claim", claim)))
    status = {claim["figure"]: claim["status"] for claim in result["claims"]}
    assert status == {
        "land_mu": "agree",
        "far": "disagree",
        "output_per_mu": "disagree",
        "tax_per_mu": "uncheckable",
    }
    computed = {claim["figure"]: claim["computed"] for claim in result["claims"]}
    assert computed["far"] == pytest.approx(2.0136, abs=1e-4)
    assert computed["output_per_mu"] == pytest.approx(3500.23, abs=0.01)
    local = told(panhuo, "--suppliers", "50", "--local-suppliers", "30")
    assert local["figures"]["local_share"]["value"] == pytest.approx(0.6)


def test_the_firms_of_an_industry_of_a_place_and_what_is_not_known_of_all(panhuo, ws):  # noqa: F811
    result = told(panhuo, ws, "--industry", "24", "--division", "431122", "--as-of", "2025-06-01")
    assert (result["year"], result["firms"]) == (2024, 2)
    figures = {name: one["value"] for name, one in result["figures"].items()}
    assert figures["land_mu"] == pytest.approx(30) and figures["tax_per_mu"] == pytest.approx(10)
    assert figures["far"] == pytest.approx(24_000 / 20_000)
    assert figures["output_per_mu"] is None and result["inputs"]["output_wan"]["known"] == 1
    given = told(panhuo, ws, "--industry", "C24", "--division", "431100", "--output-wan", "3000")
    assert given["firms"] == 2 and given["figures"]["output_per_mu"]["value"] == pytest.approx(100)
    assert told(panhuo, ws, "--industry", "2422")["firms"] == 2
    assert told(panhuo, ws)["firms"] == 4


def test_words_in_both_languages_and_a_sheet(panhuo, ws, tmp_path):  # noqa: F811
    zh = panhuo(
        "cluster",
        ws,
        "--industry",
        "24",
        "--division",
        "431122",
        "--claim",
        "tax_per_mu=10.0",
        "--lang",
        "zh",
    )
    for word in ("2024 年 2 家企业", "（1 家已知）", "10 万元/亩", "相符 亩均税收"):
        assert word in zh.out
    en = panhuo("cluster", *CASE_17, "--claim", "far=2.3", "--lang", "en", "-o", tmp_path / "a.xlsx").out
    assert "disagrees FAR: claimed 2.3 · computed 2.0136" in en
    rows = list(load_workbook(tmp_path / "a.xlsx")["cluster"].iter_rows(values_only=True))
    assert next(row for row in rows if row[0] == "FAR")[-2:] == (2.3, "disagrees")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "which cluster"),
        (["--industry", "24"], "which cluster"),
        (["--land-mu", "-1"], "0 or more"),
        (["--land-mu", "nan"], "0 or more"),
        (["--land-mu", "9", "--claim", "faar=2.3"], "local_share"),
        (["--land-mu", "9", "--claim", "far"], "far=2.3"),
        (["--land-mu", "9", "--claim", "far=nan"], "not a number"),
        (["--suppliers", "3", "--local-suppliers", "4"], "more local suppliers"),
        (["{ws}", "--industry", "吉他"], "not an industry"),
        (["{ws}", "--industry", "99"], "no such firms"),
        (["{ws}", "--division", "东安"], "not a division"),
        (["{ws}", "--as-of", "昨天"], "not a date"),
        (["{ws}", "-o", "a.pdf"], "xlsx csv parquet"),
        (["{tmp}"], "no workspace"),
    ],
)
def test_what_cannot_be_is_refused_with_a_word(panhuo, ws, tmp_path, words, named):  # noqa: F811
    outcome = panhuo("cluster", *(word.format(ws=ws, tmp=tmp_path) for word in words))
    assert outcome.code == 2
    assert named in outcome.err
