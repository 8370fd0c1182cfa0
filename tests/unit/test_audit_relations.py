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
        ("全年供应土地9048亩，比上年增加1448亩，增长{}。", "19.1%", "21.9%"),
        ("整治后耕地10416亩，净增651亩，增幅{}。", "6.7%", "7.6%"),
        ("生产总值由2020年的1470亿元增至2024年的1860亿元，年均增长{}。", "6.1%", "8.1%"),
        ("单耗由2020年的312亩降至2024年的246.5亩，年均下降{}。", "5.7%", "21%"),
        ("面积完成率75%。与邻区相比，我区面积完成率比北湖区的68.5%高{}。", "6.5个百分点", "7.5个百分点"),
        ("下达任务23公顷，已处置25.3公顷，比下达任务超出{}。", "2.3公顷", "3.2公顷"),
        ("起始价1.20亿元，经竞价以1.50亿元成交，高于起始价{}。", "25%", "20%"),
        ("搬迁农户386户，户均补助11.5万元，共{}。", "4439万元", "4349万元"),
        ("全年出让收入预算28.5亿元，实际完成24.225亿元，为预算的{}。", "85%", "82%"),
        ("上年产值3亿元。去年产值2.1亿元、税收945万元，税收占产值的{}。", "4.5%", "4.8%"),
        ("成交总价3951.4万元。调节金按成交总价的15%提取，计{}。", "592.7万元", "529.7万元"),
        ("地块收储补偿1.47亿元；重新出让成交价3.43亿元，政府净收益{}。", "1.96亿元", "1.69亿元"),
        ("办结项目35个，节约前期费用4200万元，平均每个项目节约{}。", "120万元", "102万元"),
        ("全年收入5826亿元,比去年同期增加826亿元,增长{}。", "16.5%", "12.5%"),
    ],
)  # fmt: skip
def test_a_relation_told_right_is_confirmed_and_told_wrong_is_an_alarm(text, right, wrong):
    assert "disagree" not in verdicts(text.format(right), right)
    assert verdicts(text.format(wrong), wrong) == {"disagree"}


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        # a relation no word names, told by the other rows of the list
        (
            "东区收储2400亩，投入1896万元，单耗0.79万元/亩；西区收储5200亩，投入2860万元，单耗0.55万元/亩；"
            "南区收储4800亩，投入2592万元，单耗{}；北区收储3200亩，投入1696万元，单耗0.53万元/亩。",
            "0.54万元/亩", "0.45万元/亩",
        ),
        # one column adds up, so the rows are all there are, and the other must add up too
        (
            "全市任务15600亩，完成{}。东区任务2400亩，完成1896亩；西区任务5200亩，完成2860亩；"
            "南区任务4800亩，完成2592亩；北区任务3200亩，完成1700亩。",
            "9048亩", "9148亩",
        ),
        # what holds of the counts holds of the areas beside them
        ("年初台账22宗986亩，年内处置17宗741亩，年末剩余5宗{}。", "245亩", "254亩"),
        (
            "排查闲置地块46宗、{}，其中城关镇18宗、512.4亩，北岭镇15宗、336.8亩，河口镇13宗、385.8亩。",
            "1235亩", "1208亩",
        ),
        (
            "城关镇18宗、512.4亩，北岭镇15宗、336.8亩，河口镇13宗、385.8亩，合计46宗、{}。",
            "1235亩", "1253亩",
        ),
    ],
)  # fmt: skip
def test_rows_told_alike_tell_each_other_s_slips(text, right, wrong):
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
        # a yearly mean is not the growth of all the years
        "生产总值由1470亿元增至1860亿元，年均增长6.1%。",
        # by how much a task is passed is not what was done of it
        "下达任务23.08公顷，已消化23.4968公顷，比下达任务超出0.4168公顷，任务完成率102%。",
        # an increase of a part is not that of the whole told before it
        "全年供地2480亩，其中工业用地增加300亩，增长25%。",
        # last year's figure is no second sum of this year's rows
        "成交9.86亿元，较上年的11.60亿元下降15%。工业出让31宗，成交3.06亿元；商住出让14宗，成交6.80亿元。",
        # counts that happen to add up, of things that do not
        "入园企业12家210亩，在建项目7家330亩，洽谈5家400亩。",
        # two rows are no rule, and a list may end with a row of another kind
        "甲地块40亩，投入80万元，得分2分；乙地块30亩，投入90万元，得分3分；丙地块20亩，投入50万元，得分9分。",
    ],
)
def test_no_alarm_where_the_figures_do_not_belong_together(text):
    assert [c.arithmetic for c in audit_text(text) if c.status == "disagree"] == []
