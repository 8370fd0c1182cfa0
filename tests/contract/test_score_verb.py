"""`panhuo score`: another weight, base or cap, what was published, how firm tiers are; nothing written."""

import pytest
from import_files import panhuo, tree  # noqa: F401
from openpyxl import load_workbook

from panhuo.workspace.imports import Options, import_files

FIRMS = "企业编号,企业名称,行政区,年度,税收（万元）,营业收入（万元）,投产日期\n" + "".join(
    f"E{k},企业{k},430112,2024,{10 * (k + 1)},{1900 - 150 * k},2010-01-01\n" for k in range(10)
)
PARCELS = "宗地代码,宗地面积(亩),行政区,经度,纬度\n" + "".join(
    f"P{k},15,430112,112.8{k},28.3\n" for k in range(10)
)
USES = "宗地代码,企业编号,用地方式\n" + "".join(f"P{k},E{k},自有\n" for k in range(10))
REVENUE_FIRST = ("--weight", "tax_per_mu=0", "--weight", "revenue_per_mu=100", "--cap", "revenue_per_mu=10")


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """Ten firms on 15 亩 each: the more tax, the less revenue."""
    folder = tmp_path_factory.mktemp("score")
    for name, text in {"parcels": PARCELS, "enterprises": FIRMS, "occupancies": USES}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        import_files(folder / "ws", [folder / f"{name}.csv"], Options(name, place="430112"))
    return folder / "ws"


def told(run, *words):
    outcome = run("score", *words, "--as-of", "2025-06-01", "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def tiers_of(result):
    return {row["enterprise_id"]: row["tier"] for row in result["scores"]}


def test_the_scores_of_the_place_and_of_another_scheme_leave_the_workspace_alone(panhuo, ws):  # noqa: F811
    before = tree(ws)
    result = told(panhuo, ws)
    assert [one["scheme"] for one in result["schemes"]] == ["hunan_default"]
    assert sum(result["tiers"].values()) == 10 and result["moves"] is result["published"] is None
    ranks = {row["enterprise_id"]: row["rank"] for row in result["scores"]}
    assert ranks["E9"] < ranks["E0"]
    named = told(panhuo, ws, "--scheme", "huangyan_2022")
    assert [one["scheme"] for one in named["schemes"]] == ["huangyan_2022"]
    assert tree(ws) == before


def test_another_weight_and_cap_turn_the_order_round_and_who_moves_is_told(panhuo, ws):  # noqa: F811
    plain, result = told(panhuo, ws), told(panhuo, ws, *REVENUE_FIRST)
    assert sum(row["firms"] for row in result["moves"]) == 10
    old, new = tiers_of(plain), tiers_of(result)
    moved = {row["enterprise_id"]: (row["tier_before"], row["tier_after"]) for row in result["moved"]}
    assert moved == {firm: (old[firm], new[firm]) for firm in old if old[firm] != new[firm]}
    assert new["E0"] == "A" and new["E9"] == moved["E9"][1] == "D"
    changed = {
        (i["group"], i["indicator"]): i["changed"] for i in result["schemes"][0]["indicators"] if i["changed"]
    }
    assert changed["below_scale", "tax_per_mu"] == {"weight": 0.0}
    assert changed["below_scale", "revenue_per_mu"] == {"weight": 100.0, "cap": 10.0}
    one = told(panhuo, ws, "--base", "below_scale.tax_per_mu=1000")["schemes"][0]["indicators"]
    assert {i["group"] for i in one if i["changed"]} == {"below_scale"}


def test_published_tiers_by_code_or_name_that_come_out_again_and_which_not(panhuo, ws, tmp_path):  # noqa: F811
    ours = tiers_of(told(panhuo, ws))
    rows = [f",企业{k},{ours[f'E{k}']}类企业" for k in range(8)]
    other = next(tier for tier in "ABCD" if tier != ours["E8"])
    listed = "统一社会信用代码,企业名称,评价等级\n" + "\n".join(
        [*rows, f"E8,,{other.lower()}", "X,外地公司,A", "E9,,"]
    )
    (tmp_path / "p.csv").write_text(listed, encoding="utf-8")
    found = told(panhuo, ws, "--published", tmp_path / "p.csv")["published"]
    assert (found["firms"], found["compared"], found["same"]) == (10, 9, 8)
    assert found["share"] == pytest.approx(8 / 9) and found["not_here"] == ["外地公司"]
    assert [(r["name"], r["tier_before"], r["tier_after"]) for r in found["differing"]] == [
        ("企业8", other, ours["E8"])
    ]


def test_noise_says_how_firm_tiers_are(panhuo, ws):  # noqa: F811
    found = told(panhuo, ws, "--noise", "0.3")["firmness"]
    kept = [row["kept"] for row in found["rows"]]
    assert kept == sorted(kept) and kept[0] < 1 and len(kept) == 10
    assert {row["kept"] for row in told(panhuo, ws, "--noise", "0.000001")["firmness"]["rows"]} == {1.0}


def test_words_in_both_languages_and_a_sheet_each(panhuo, ws, tmp_path):  # noqa: F811
    (tmp_path / "p.csv").write_text("企业名称,等级\n企业0,A\n", encoding="utf-8")
    asked = (
        "score",
        ws,
        "--as-of",
        "2025-06-01",
        *REVENUE_FIRST,
        "--published",
        tmp_path / "p.csv",
        "--noise",
        "0.1",
    )
    zh = panhuo(*asked, "--lang", "zh", "-o", tmp_path / "a.xlsx").out
    for word in (
        "亩均税收 权重 70 → 0",
        "原等级 → 新等级",
        "家换等级",
        "可比 1 家，等级一致 1 家（100.0%）",
        "等级不变的比例",
    ):
        assert word in zh
    assert load_workbook(tmp_path / "a.xlsx").sheetnames == ["评分", "等级变化", "与公布对照", "稳定性"]
    en = panhuo(*asked, "--lang", "en").out
    assert "tier before → after" in en and "1 comparable" in en
    assert "企业9" in panhuo("score", ws, "--as-of", "2025-06-01").out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--weight", "tax=3"], "below_scale.tax_per_mu"),
        (["--weight", "tax_per_mu"], "tax_per_mu=40"),
        (["--weight", "tax_per_mu=-1"], "0 or more"),
        (["--base", "tax_per_mu=0"], "above 0"),
        (["--cap", "tax_per_mu=nan"], "above 0"),
        (["--cap", "tax_per_mu=inf"], "above 0"),
        (["--noise", "0"], "between 0 and 1"),
        (["--noise", "1"], "between 0 and 1"),
        (["--scheme", "other"], "hunan_default"),
        (["--as-of", "昨天"], "not a date"),
        (["--as-of", "2011-01-01"], "nobody to score"),
        (["-o", "a.csv"], "xlsx"),
        (["--published", "none.csv"], "no such file"),
        (["--published", "企业名称,税收\n企业0,3\n"], "评价等级 tier"),
        (["--published", "等级,税收\nA,3\n"], "code or name"),
        (["--published", "企业名称,等级\n企业0,\n"], "no tiers"),
        (["--published", "企业名称,等级\n企业0,优秀\n"], "row 2: 优秀"),
        (["--published", "企业名称,等级\n企业0,A\n企业0,B\n"], "two tiers of one firm"),
        (["--published", "企业名称,等级,类别\n企业0,A,规上\n"], "two columns"),
    ],
)
def test_what_cannot_be_is_refused_with_a_word(panhuo, ws, tmp_path, words, named):  # noqa: F811
    if "\n" in words[-1]:
        (tmp_path / "p.csv").write_text(words[-1], encoding="utf-8")
        words = [*words[:-1], tmp_path / "p.csv"]
    dated = [] if "--as-of" in words else ["--as-of", "2025-06-01"]
    outcome = panhuo("score", ws, *words, *dated)
    assert outcome.code == 2
    assert named in outcome.err


def test_a_workspace_without_enterprises_is_refused(panhuo, tmp_path):  # noqa: F811
    assert panhuo("score", tmp_path).code == 2
    (tmp_path / "p.csv").write_text(PARCELS, encoding="utf-8")
    import_files(tmp_path / "ws", [tmp_path / "p.csv"], Options("parcels", place="430112"))
    outcome = panhuo("score", tmp_path / "ws")
    assert outcome.code == 2 and "no enterprises" in outcome.err
