"""The land market in a real browser: two persons publish, a stranger filters and asks, the office sees it."""

from conftest import checked, sign_in
from PIL import Image

PARCEL = "430112001001GB00004"


def offer(site, clerk, photograph):
    """The clerk's part: from the parcel's page to a lot with a photograph, put to review."""
    clerk.goto(f"{site[0]}/parcel/{PARCEL}/")
    clerk.click("a:has-text('推向市场')")
    checked(clerk)
    clerk.fill("#id_title", "月亮岛标准地")
    clerk.select_option("#id_way", "standard_land")
    clerk.fill("#id_price", "45")
    clerk.select_option("#id_price_unit", "wan_per_mu")
    clerk.click("summary:has-text('意向产业')")
    clerk.check("input[name=industries][value='35']")
    clerk.fill("#id_services", "水、电、路")
    clerk.fill("#id_office", "望城区自然资源局")
    clerk.fill("#id_phone", "0731-88061234")
    clerk.select_option("#id_shown", "outline")
    clerk.click("button[value=save]")
    clerk.wait_for_selector("text=标准地指标")
    clerk.set_input_files("#photo", photograph)
    clerk.click("button:has-text('添加')")
    clerk.wait_for_selector(".photos img")
    checked(clerk)
    clerk.click("main button:has-text('送审')")
    clerk.wait_for_selector(".tag:has-text('待审')")


def ask(site, stranger, address, basemap):
    """The stranger's part: filters, opens the lot, asks; somebody else's basemap is asked only when chosen."""
    before = len(basemap.asked)
    stranger.goto(f"{site[0]}/market/?kind=plant")
    assert stranger.locator("[data-lot]").count() == 0
    stranger.select_option("#id_kind", "plot")
    stranger.select_option("#id_industry", "35")
    stranger.click("button:has-text('查找')")
    stranger.wait_for_selector("#map[data-ready]")
    checked(stranger)
    assert len(basemap.asked) == before
    with stranger.expect_request(lambda asked: asked.url.startswith(address)):
        stranger.click("#online")
    stranger.click("a:has-text('月亮岛标准地')")
    stranger.wait_for_selector("#map[data-ready]")
    assert "≥ 400 万元/亩" in stranger.locator("main").inner_text()
    assert PARCEL not in stranger.content()
    checked(stranger)
    stranger.fill("#id_company", "恒达机械有限公司")
    stranger.fill("#id_contact", "李")
    stranger.fill("#id_phone", "0731-12345678")
    stranger.fill("#id_area_mu", "30")
    stranger.check("#id_consent")
    stranger.click("button:has-text('提交咨询')")
    stranger.wait_for_selector("text=已收到")


def test_a_lot_goes_from_the_ledger_to_a_strangers_enquiry(
    site, person, browser, stranger, elsewhere, tmp_path
):
    photograph = tmp_path / "现场.jpg"
    Image.new("RGB", (400, 300), "green").save(photograph)
    person("供地经办")
    person("供地领导", "leader")
    clerk, leader = browser.new_context().new_page(), browser.new_context().new_page()
    for page, name in ((clerk, "供地经办"), (leader, "供地领导")):
        sign_in(site, page, name)
        page.wait_for_selector("dl.tiles")
    offer(site, clerk, photograph)

    leader.goto(f"{site[0]}/lots/")
    checked(leader)
    leader.click("a:has-text('月亮岛标准地')")
    leader.fill("#reason", "园区已研究")
    leader.click("button:has-text('发布')")
    leader.wait_for_selector(".tag:has-text('已发布')")

    ask(site, stranger, *elsewhere)
    clerk.goto(f"{site[0]}/enquiries/")
    checked(clerk)
    clerk.click("a:has-text('恒达机械有限公司')")
    checked(clerk)
    clerk.fill("#answer", "已电话答复")
    clerk.click("button:has-text('记为已答复')")
    clerk.wait_for_selector(".tag:has-text('已答复')")
    elsewhere[1].asked.clear()
    for page in (clerk, leader):
        page.context.close()
