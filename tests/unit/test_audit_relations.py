"""Each relation between figures, told right and told wrong; and texts that must raise no alarm."""

import pytest

from panhuo.measure.audit.audit import audit_text


def verdicts(text, figure):
    return {check.status for check in audit_text(text) if check.claim.text.endswith(figure)}


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("成交价款9.86亿元，较上年的11.60亿元下降{}。", "15%", "18%"),
        ("生产总值1860亿元，比2020年的1470亿元增加{}。", "390亿元", "490亿元"),
        ("低效用地占20%，比全省平均15.5%高{}。", "4.5个百分点", "5.5个百分点"),
        ("出让收入3.6亿元，扣除收储成本2.31亿元，净收益{}。", "1.29亿元", "1.41亿元"),
        ("土地补偿12480万元；房屋补偿8160万元。设备搬迁费1240万元。三项合计{}。", "21880万元", "22880万元"),
        ("出租面积102600平方米，租金18元/平方米·月，年租金收入{}。", "2216万元", "2416万元"),
        ("三年盘活存量土地{}，2025年4500亩，2026年5000亩，2027年5500亩。", "1.5万亩", "1.6万亩"),
        ("已支付1.224亿元，支付率90%，未支付{}。", "1360万元", "1630万元"),
        ("去年产值2.1亿元。企业计划扩建，产值增加到3.15亿元，增长{}。", "50%", "60%"),
        ("图斑86个，面积4380亩。已修复61个3066亩；剩余25个{}。", "1314亩", "1214亩"),
        ("台账22宗986亩，年内处置17宗741亩，宗数处置率{}。", "77.3%", "75.2%"),
        ("支出23.1亿元，其中补偿11.55亿元，占50%；开发6.93亿元，占{}。", "30%", "35%"),
        ("用地4380亩，个数86个。已修复61个3066亩，分别占70.9%和{}。", "70%", "79%"),
        ("欠租655.2万元。其中100万元以上的2户，合计268万元，占欠租总额的{}。", "40.9%", "46.9%"),
        ("2023年、2024年营业收入分别为1.62亿元和1.98亿元，同比增长{}。", "22.2%", "18.2%"),
        ("出让175亩，亩均税收不低于{}，年税收不少于2625万元。", "15万元", "14万元"),
    ],
)  # fmt: skip
def test_a_relation_told_right_is_confirmed_and_told_wrong_is_an_alarm(text, right, wrong):
    assert "disagree" not in verdicts(text.format(right), right)
    assert verdicts(text.format(wrong), wrong) == {"disagree"}


@pytest.mark.parametrize(
    "text",
    [
        # what is held against is another's figure
        "用地64亩，年税收1536万元，亩均税收24万元，是原纺织厂亩均税收4万元的6倍。",
        "以9450万元竞得，比评估价1.05亿元低10%。支付职工安置费后，剩余6950万元用于偿还银行。",
        # the total of one sentence is not of the land of the next
        "工业用地440亩。成交价款9.86亿元。其中出让31宗1366亩，平均成交价22.4万元/亩，成交3.06亿元。",
        # a yearly amount is no part of a sum, and a percent no remainder of two others
        "发行债券3亿元，每年付息960万元，利息合计1.44亿元，到期本息合计4.44亿元。",
        "按总价的15%提取，村集体留用40%，其余60%分配到户。",
        # a price of floor is multiplied by the floor
        "净地150亩，按楼面地价1800元/平方米、容积率2.0测算，出让收入3.6亿元。",
        "当事人欠缴2680万元，已缴价款8040万元。欠缴一年约489万元。",
        # other figures stand between a rest and what it might be of
        "全县面积4380亩，核实4100亩。已修复3066亩；剩余1314亩。",
        # the whole that others share is not told
        "收储1542亩，占36%；改造1713亩，占40%。",
    ],
)
def test_no_alarm_where_the_figures_do_not_belong_together(text):
    assert [c.arithmetic for c in audit_text(text) if c.status == "disagree"] == []
