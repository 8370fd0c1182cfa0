"""`panhuo link | themes | leases`: land and firms linked, seen by theme, and let (case 3)."""

from datetime import date

import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from import_files import layer, panhuo, tree  # noqa: F401
from openpyxl import load_workbook

from panhuo.rulebook import Rulebook
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import LeaseScheme
from panhuo.workspace.assess import assess
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

E1, E2, E3, E4, E5 = (
    "91430100MA4L00001X", "91430100MA4L000028", "91430100MA4L00003R", "91430100MA4L00004Q", "91430100MA4L00005P",
)  # fmt: skip
PARCELS = (
    "宗地代码,宗地名称,权利人名称,统一社会信用代码,宗地面积(亩),建筑面积(平方米),权利性质,行政区,终止日期\n"
    f"A,甲地,随便写的,{E1},15,20000,出让,430112,2060-01-01\n"
    "B,乙地,长沙乙方机械有限公司,,30,10000,出让,430112,\n"
    "C,丙地,湖南南方搏云新材料有限公司,,12,5000,出让,430112,2030-01-01\n"
    "D,丁地,同名公司,,9,3000,出让,430112,\n"
    f"F,己地,,{E2},6,2000,出让,430112,\n"
    "G,庚地,毫不相干纺织厂,,6,2000,出让,430112,\n"
)
FIRMS = (
    "企业编号,企业名称,经营状态,行业代码,行政区,年度,税收,营业收入\n"
    f"{E1},长沙甲方科技有限公司,在产,C3011,430112,2024,900,9000\n"
    f"{E2},长沙乙方机械有限公司,停产,C3011,430112,2024,1,10\n"
    f"{E3},湖南南方博云新材料股份有限公司,在产,C3011,430112,2024,90,900\n"
    f"{E4},同名公司,在产,C3011,430112,2024,5,50\n{E5},同名公司,在产,C3011,430112,2024,6,60\n"
)
USES = (
    "宗地代码,企业编号,用地方式,使用面积(平方米),起始日期,终止日期,年租金(万元)\n"
    f"F,{E3},自有,4000,,,\n"
    f"A,{E4},租入,1000,2020-01-01,2030-01-01,12\nA,{E5},租入,1000,2020-01-01,2041-01-01,30\n"
    f"A,{E1},出租,1500,2020-01-01,2030-01-01,\n"
)
BUILDINGS = (
    "建筑编号,所在宗地,所有权人,建筑面积(平方米),空置面积(平方米)\nK1,A,甲方,20000,5000\nK2,B,,10000,0\n"
)
GIVEN = {"parcels": PARCELS, "enterprises": FIRMS, "occupancies": USES, "buildings": BUILDINGS}


def made(folder, given=None):
    for name, text in (given or GIVEN).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        import_files(folder / "ws", [folder / f"{name}.csv"], Options(name, place="430112"))
    return folder / "ws"


@pytest.fixture
def ws(tmp_path):
    """Six parcels: by code, by name, near a name, of a name two bear, by code but another's own, of no firm."""
    return made(tmp_path)


def told(run, verb, *words):
    outcome = run(verb, *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def own(ws):
    rows = Workspace.open(ws).dataset("occupancies").to_pylist()
    return {(r["parcel_id"], r["enterprise_id"]) for r in rows if r["kind"] == "own"}


def answered(path, answers):
    """The list at `path` with its last column filled by parcel and firm."""
    book = load_workbook(path)
    sheet = book.active
    for row in sheet.iter_rows(min_row=2):
        row[8].value = answers.get((row[0].value, row[3].value))
    book.save(path)
    return path


def test_code_and_equal_name_stand_of_themselves_the_rest_waits(panhuo, ws, tmp_path):  # noqa: F811
    before = tree(ws)
    tried = told(panhuo, "link", ws, "--dry-run")
    assert tree(ws) == before
    result = told(panhuo, "link", ws, "-o", tmp_path / "l.xlsx", "--lang", "zh")
    assert result["linked"] == {"code": 1, "name": 1, "list": 0}
    assert (result["parcels"], result["without"], result["laid"], result["waiting"]) == (6, 4, 2, 4)
    assert {k: tried[k] for k in ("linked", "laid", "waiting")} == {
        k: result[k] for k in ("linked", "laid", "waiting")
    }
    assert own(ws) == {("A", E1), ("B", E2), ("F", E3)}
    head, *rows = load_workbook(tmp_path / "l.xlsx")["待确认"].iter_rows(values_only=True)
    assert head[-1] == "确认"
    because = {(row[0], row[3]): row[5] for row in rows}
    assert because == {
        ("C", E3): "名称相近", ("D", E4): "同名企业不止一家", ("D", E5): "同名企业不止一家",
        ("F", E2): "宗地登记为其他企业自有",
    }  # fmt: skip
    near = next(row for row in rows if row[0] == "C")
    assert near[2] == "湖南南方搏云新材料有限公司" and 85 <= near[6] < 100
    assert not any(row[-1] for row in rows)
    again = told(panhuo, "link", ws)
    assert (again["laid"], again["snapshot"]) == (0, result["snapshot"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_list_answered_is_laid_in_once_with_who_and_when(panhuo, ws, tmp_path, lang):  # noqa: F811
    path = tmp_path / "l.xlsx"
    told(panhuo, "link", ws, "-o", path, "--lang", lang)
    answered(path, {("C", E3): "是", ("D", E4): "否", ("D", E5): None, ("F", E2): "yes"})
    done = told(panhuo, "link", ws, "--confirm", path, "--by", "张三")
    assert done["settled"] == {"yes": 2, "no": 1, "open": 1, "before": 0}
    assert (done["laid"], done["waiting"]) == (2, 1)
    assert done["linked"] == {"code": 2, "name": 1, "list": 1}
    assert own(ws) == {("A", E1), ("B", E2), ("C", E3), ("F", E2), ("F", E3)}
    kept = Workspace.open(ws).dataset("links").to_pylist()
    assert {(r["parcel_id"], r["confirmed"], r["by"], r["on"]) for r in kept} == {
        ("C", True, "张三", date.today()), ("D", False, "张三", date.today()), ("F", True, "张三", date.today()),
    }  # fmt: skip
    again = told(panhuo, "link", ws, "--confirm", path, "--by", "李四")
    assert again["settled"] == {"yes": 0, "no": 0, "open": 1, "before": 3}
    assert again["snapshot"] == done["snapshot"]
    shown = panhuo("link", ws, "--confirm", path, "--by", "李四", "--lang", "zh").out
    assert "待确认 1 条" in shown and "以前已认定 3" in shown


def test_what_was_denied_may_be_affirmed_and_what_is_recorded_not_denied(panhuo, ws, tmp_path):  # noqa: F811
    path = tmp_path / "l.xlsx"
    told(panhuo, "link", ws, "-o", path)
    told(panhuo, "link", ws, "--confirm", answered(path, {("C", E3): "否", ("D", E4): "否"}), "--by", "张三")
    assert ("C", E3) not in own(ws)
    told(panhuo, "link", ws, "--confirm", answered(path, {("C", E3): "是"}), "--by", "张三")
    assert ("C", E3) in own(ws)
    kept = {r["parcel_id"]: r["confirmed"] for r in Workspace.open(ws).dataset("links").to_pylist()}
    assert kept == {"C": True, "D": False}, "a list of one row takes nothing back of the others"
    refused = panhuo("link", ws, "--confirm", answered(path, {("C", E3): "否"}), "--by", "张三")
    assert refused.code == 2 and "--replace" in refused.err
    # Taken out of the ledger, it is laid in again only while nobody has denied it.
    (tmp_path / "occupancies.csv").write_text(USES, encoding="utf-8")
    import_files(ws, [tmp_path / "occupancies.csv"], Options("occupancies", replace=True))
    told(panhuo, "link", ws, "--confirm", path, "--by", "张三")
    assert own(ws) == {("A", E1), ("B", E2), ("F", E3)}


def test_the_list_imported_as_any_file_feeds_no_other_dataset(panhuo, ws, tmp_path):  # noqa: F811
    for lang in ("zh", "en"):
        told(panhuo, "link", ws, "--dry-run", "-o", tmp_path / "l.xlsx", "--lang", lang)
        taken = told(panhuo, "import", ws, tmp_path / "l.xlsx", "--dry-run")
        assert [one["dataset"] for one in taken["imports"]] == ["links"], lang


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (f"Z,{E3},是", ["row 2", "'Z'", "not on record"]),
        ("C,91430100MA4L99999X,是", ["row 2", "not among the enterprises"]),
        (f"C,{E3},大概", ["row 2", "'大概'", "Neither yes nor no"]),
        (f"C,{E3},", ["no row says yes or no"]),
        (f"F,{E3},否", ["row 2", "--replace"]),
        (f"C,{E3},是\nC,{E3},否", ["row 2"]),
        (f"C,{E3},是\n,{E3},是", ["row 3"]),
    ],
)
def test_a_list_with_a_faulty_row_is_refused_whole(panhuo, ws, tmp_path, row, named):  # noqa: F811
    path = tmp_path / "l.csv"
    path.write_text(f"宗地编号,关联企业代码,确认\n{row}\n", encoding="utf-8")
    before = tree(ws)
    refused = panhuo("link", ws, "--confirm", path, "--by", "张三")
    assert refused.code == 2
    for word in named:
        assert word in refused.err
    assert tree(ws) == before


def test_land_and_firms_are_drawn_with_their_themes(panhuo, tmp_path):  # noqa: F811
    ws = made(tmp_path)
    corners = [shapely.box(west, 28, west + 0.001, 28.001) for west in (112.8, 112.9)]
    layer(tmp_path / "a.gpkg", corners, "EPSG:4490", {"ZDDM": ["A", "F"]})
    import_files(ws, [tmp_path / "a.gpkg"], Options("parcels"))
    before = told(panhuo, "themes", ws)
    assert len(before["themes"]) == 14 and before["assessment"] is None
    known = {row["theme"]: (row["known"], row["records"]) for row in before["themes"]}
    assert known["land"] == (6, 6) and known["findings"] == (0, 6) and known["scores"] == (0, 5)
    assert known["vacancy"] == (2, 6) and known["leases"] == (4, 5)
    assert before["without_outline"] == 4
    assert "尚未评估" in panhuo("themes", ws, "--lang", "zh").out
    assess(Workspace.open(ws), as_of=date(2025, 6, 1))
    after = told(panhuo, "themes", ws, "-o", tmp_path / "m.gpkg")
    known = {row["theme"]: row["known"] for row in after["themes"]}
    assert known["findings"] == 6 and known["scores"] > 0
    assert [name for name, _ in pyogrio.list_layers(tmp_path / "m.gpkg")] == ["parcels", "enterprises"]
    _, land = pyogrio.read_arrow(tmp_path / "m.gpkg", layer="parcels")
    rows = {row["parcel_id"]: row for row in land.to_pylist()}
    assert (rows["A"]["vacant_m2"], rows["A"]["firms"], rows["G"]["firms"]) == (5000, 3, None)
    assert rows["A"]["enterprises"] == "同名公司、长沙甲方科技有限公司"
    assert rows["A"]["geom"] is not None and rows["B"]["geom"] is None
    _, firms = pyogrio.read_arrow(tmp_path / "m.gpkg", layer="enterprises")
    firms = {row["enterprise_id"]: row for row in firms.to_pylist()}
    assert (firms[E1]["tax_wan"], firms[E1]["rented_out_m2"]) == (900, 1500)
    assert firms[E1]["geom"] is None, "who lets a plant is not on it"
    drawn = shapely.from_wkb(firms[E4]["geom"])
    assert drawn.geom_type == "MultiPolygon" and drawn.bounds[0] == pytest.approx(112.8)
    told(panhuo, "themes", ws, "-o", tmp_path / "m.parquet")
    assert pq.read_table(tmp_path / "m.parquet", columns=["geometry"])["geometry"].null_count == 4
    for lang, sheets, head, tenure in (
        ("zh", ["宗地", "企业", "专题"], "宗地面积（平方米）", "出让"),
        ("en", ["parcels", "enterprises", "themes"], "Area (m²)", "Granted"),
    ):
        panhuo("themes", ws, "-o", tmp_path / "m.xlsx", "--lang", lang)
        book = load_workbook(tmp_path / "m.xlsx")
        assert book.sheetnames == sheets
        heads, first, *_ = book[sheets[0]].iter_rows(values_only=True)
        assert head in heads and tenure in first
        assert book[sheets[2]].max_row == 15


def test_leases_are_checked_and_plant_registered(panhuo, ws, tmp_path):  # noqa: F811
    result = told(panhuo, "leases", ws, "--on", "2025-06-01")
    assert (result["leases"], len(result["rows"])) == (2, 14)
    counts = {name: (c["broken"], c["unknown"], c["fine"]) for name, c in result["checks"].items()}
    assert counts["term"] == (1, 0, 1) and counts["title_term"] == (0, 0, 2)
    assert counts["overlet"] == (0, 0, 2)
    late = next(r for r in result["rows"] if (r["enterprise_id"], r["check"]) == (E5, "term"))
    assert (late["status"], late["bar"], late["unit"], late["tenant"]) == ("yes", 20, "years", "同名公司")
    assert result["checks"]["term"]["cite"]["article"] == "705"
    assert result["vacant"] == {"buildings": 1, "vacant_m2": 5000}
    (plant,) = result["register"]
    assert (plant["name"], plant["division"], plant["owner"], plant["vacant_share"]) == (
        "甲地", "430112", "甲方", 0.25,
    )  # fmt: skip
    assert [(r["name"], r["rented_m2"], r["let_m2"]) for r in result["unmatched"]] == [("甲地", 2000, 1500)]
    shown = panhuo("leases", ws, "-o", tmp_path / "l.xlsx", "--lang", "zh", "--on", "2025-06-01").out
    for word in (
        "租约 2 份",
        "民法典 第705条",
        "21 年",
        "20 年",
        "空置厂房 1 幢，5,000 平方米",
        "租入与出租不一致 1 宗",
    ):
        assert word in shown
    book = load_workbook(tmp_path / "l.xlsx")
    assert book.sheetnames == ["租赁核查", "空置厂房", "租让不符"]
    assert book["租赁核查"].max_row == 15
    assert "2 leases" in panhuo("leases", ws, "--lang", "en").out


def test_an_unknown_check_names_what_it_lacks(panhuo, tmp_path):  # noqa: F811
    bare = f"宗地代码,企业编号,用地方式\nC,{E4},租入\n"
    ws = made(tmp_path, GIVEN | {"occupancies": bare})
    result = told(panhuo, "leases", ws)
    lacks = {r["check"]: r["missing"] for r in result["rows"] if r["status"] == "unknown"}
    assert lacks["title_term"] == "until_on" and lacks["term"] == "until_on,from_on"
    panhuo("leases", ws, "-o", tmp_path / "l.xlsx", "--lang", "zh")
    rows = list(load_workbook(tmp_path / "l.xlsx")["租赁核查"].iter_rows(values_only=True))
    assert next(r[10] for r in rows if r[5] == "租期超过法定上限") == "租期止、租期起"


def test_every_fact_that_a_check_may_lack_has_words():
    rule = scheme(Rulebook.load(), LeaseScheme, "lease", date(2025, 1, 1))
    asked = {name for one in rule.checks.values() for name in parse(one.broken).names}
    assert asked == set(rule.facts)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("link {ws} --by 张三", "--confirm"),
        ("link {ws} --confirm {tmp}/parcels.csv", "--by"),
        ("link {ws} --confirm {tmp}/no.xlsx --by 张三", "no such file"),
        ("link {ws} -o {tmp}/a.pdf", "xlsx csv parquet"),
        ("link {tmp}/new", "parcels and enterprises are needed"),
        ("link {tmp}", "no workspace"),
        ("themes {ws} -o {tmp}/a.csv", "gpkg xlsx parquet"),
        ("themes {ws} -o {tmp}/no/a.gpkg", "no such folder"),
        ("themes {tmp}/new", "neither parcels nor enterprises"),
        ("leases {ws} -o {tmp}/a.gpkg", "xlsx csv parquet"),
        ("leases {ws} --on 明天", "not a date"),
        ("leases {ws} --on 2019-01-01", "no scheme"),
        ("leases {tmp}/new", "neither occupancies nor buildings"),
    ],
)
def test_what_cannot_be_is_refused_with_a_word(panhuo, ws, tmp_path, command, named):  # noqa: F811
    Workspace.create(tmp_path / "new")
    outcome = panhuo(*(word.format(ws=ws, tmp=tmp_path) for word in command.split()))
    assert outcome.code == 2
    assert named in outcome.err
