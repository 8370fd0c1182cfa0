"""The survey with no network, in a real browser: taken along, filled offline, arrived once."""

import itertools
import re

import pytest
from conftest import PHONE, checked, sign_in
from PIL import Image
from playwright.sync_api import expect

NUMBER = itertools.count(1)


@pytest.fixture
def phone(site, person, browser):
    """A phone of a clerk of 430112, with a position, on the survey page that it keeps."""
    name = f"外业{next(NUMBER)}"
    person(name)
    context = browser.new_context(
        viewport=PHONE,
        geolocation={"longitude": 112.8004, "latitude": 28.3604, "accuracy": 8},
        permissions=["geolocation"],
    )
    page = context.new_page()
    sign_in(site, page, name)
    page.wait_for_selector("dl.tiles")
    page.goto(f"{site[0]}/survey/field/")
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    yield page
    context.close()


def take_along(page):
    page.click("#near")
    page.click("#take")
    page.wait_for_selector(".cards > li")


def kept(page):
    return page.evaluate(
        "caches.open('panhuo-survey').then((c) => c.keys()).then((k) => k.map((r) => new URL(r.url).pathname))"
    )


def fill(page, tmp_path):
    """Fills the form that is open but for what was asked for already."""
    photograph = tmp_path / "现场.jpg"
    Image.new("RGB", (3000, 2000), "green").save(photograph)
    page.click("#position")
    page.wait_for_selector("text=精度 ±8 米")
    page.check("input[name=use_state][value=vacant]")
    page.set_input_files("#photos", photograph)
    page.wait_for_selector(".shots img")
    page.fill("#remark", "围墙内杂草")


def test_offline_it_is_filled_and_when_the_network_is_back_it_arrives_once(site, page, phone, tmp_path):
    take_along(phone)
    checked(phone)
    for _ in range(50):
        if "/survey/field/" in kept(phone):
            break
        phone.wait_for_timeout(100)
    assert any(path.endswith("/survey.js") for path in kept(phone))
    phone.context.set_offline(True)
    phone.reload()
    phone.wait_for_selector("#net:has-text('离线')")
    first = phone.locator(".cards > li").first
    parcel_id = first.locator("code").inner_text()
    first.locator("button").click()
    phone.click("button:has-text('填完，发送')")
    assert phone.locator("#use_state-fault").inner_text() == "请填写"
    assert phone.locator("#photos-fault").is_visible()
    fill(phone, tmp_path)
    checked(phone)
    phone.click("button:has-text('填完，发送')")
    phone.wait_for_selector("[data-state=waiting]")
    phone.reload()
    phone.wait_for_selector("[data-state=waiting]")
    checked(phone)

    # The first answer is lost on its way back: the phone cannot know, and sends again.
    lost = []

    def lose_the_first(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().json())
            route.abort()

    phone.context.route("**/survey/send/", lose_the_first)
    phone.context.set_offline(False)
    phone.wait_for_selector("#note:has-text('没有送到')")
    phone.click("#send")
    phone.wait_for_selector("[data-state=sent]")
    assert len(lost) == 1 and lost[0]["again"] is False

    page.goto(f"{site[0]}/survey/")
    rows = page.locator("table.corrections tbody tr", has=page.locator(f"text={phone_name(phone)}"))
    assert rows.count() == 1
    rows.first.locator("a").click()
    assert parcel_id in page.locator("#main").inner_text()
    assert page.locator(".evidence img").count() == 1
    size = page.locator(".evidence img").evaluate(
        "i => i.decode().then(() => [i.naturalWidth, i.naturalHeight])"
    )
    assert size == [1600, 1067]
    assert (
        "28.3604" in page.locator("#main").inner_text() and "围墙内杂草" in page.locator("#main").inner_text()
    )
    checked(page)


def phone_name(phone):
    return phone.locator(".brand small").inner_text()


def test_a_draft_is_kept_and_signing_out_only_makes_it_wait(site, phone, tmp_path):
    take_along(phone)
    phone.locator(".cards > li button").nth(1).click()
    phone.check("input[name=use_state][value=in_use]")
    phone.click("button:has-text('返回清单')")
    phone.wait_for_selector("[data-state=draft]")
    phone.reload()
    phone.click("[data-state=draft] button:has-text('继续填写')")
    assert phone.is_checked("input[name=use_state][value=in_use]")
    fill(phone, tmp_path)
    phone.context.clear_cookies()
    phone.click("button:has-text('填完，发送')")
    phone.wait_for_selector("text=登录已过期")
    assert phone.locator("[data-state=waiting]").count() == 1
    name = phone_name(phone)
    phone.click("a:has-text('去登录')")
    sign_in(site, phone, name)
    phone.wait_for_selector("dl.tiles")
    phone.goto(f"{site[0]}/survey/field/")
    phone.wait_for_selector("[data-state=sent]")


def test_what_the_server_fails_on_waits_and_holds_up_no_other(phone, tmp_path):
    take_along(phone)
    phone.context.set_offline(True)
    for n in (1, 2):
        phone.locator(".cards > li button").first.click()
        fill(phone, tmp_path)
        phone.click("button:has-text('填完，发送')")
        expect(phone.locator("[data-state=waiting]")).to_have_count(n)
        expect(phone.locator("#note")).to_contain_text("离线")
        expect(phone.locator("#outbox")).to_be_focused()
        expect(phone.locator("#outbox")).to_be_in_viewport()
    broken = []

    def fail_the_oldest(route):
        visit = re.search(rb'"visit_id":"[^"]+"', route.request.post_data_buffer)[0]
        if not broken:
            broken.append(visit)
        if visit == broken[0]:
            route.fulfill(status=500)
        else:
            route.continue_()

    phone.context.route("**/survey/send/", fail_the_oldest)
    phone.context.set_offline(False)
    phone.wait_for_selector("[data-state=sent]")
    phone.wait_for_selector("#note:has-text('没有送到')")
    assert phone.locator("[data-state=waiting]").count() == 1
    phone.context.unroute("**/survey/send/")
    phone.click("#send")
    expect(phone.locator("[data-state=sent]")).to_have_count(2)


def test_another_account_on_the_same_phone_neither_sees_nor_sends(site, person, phone, tmp_path):
    take_along(phone)
    phone.locator(".cards > li button").nth(2).click()
    fill(phone, tmp_path)
    phone.click("button:has-text('存为草稿')")
    phone.wait_for_selector("[data-state=draft]")
    person("外业旁人")
    phone.context.clear_cookies()
    sign_in(site, phone, "外业旁人")
    phone.wait_for_selector("dl.tiles")
    phone.goto(f"{site[0]}/survey/field/")
    phone.wait_for_selector("text=本机还有别人的 1 条记录")
    assert phone.locator("[data-state]").count() == 0 and phone.locator(".cards > li").count() == 0


def test_a_page_of_one_person_still_open_sends_nothing_in_the_session_of_another(
    site, person, phone, tmp_path
):
    take_along(phone)
    phone.locator(".cards > li button").nth(3).click()
    fill(phone, tmp_path)
    person("外业后来人")
    beside = phone.context.new_page()
    beside.goto(f"{site[0]}/survey/")
    assert "/survey/field/" in kept(beside)
    beside.click("details.menu summary")
    beside.click("form[action='/account/logout/'] button")
    beside.wait_for_url("**/account/login/**")
    assert kept(beside) == []
    sign_in(site, beside, "外业后来人")
    beside.wait_for_selector("dl.tiles")
    phone.click("button:has-text('填完，发送')")
    phone.wait_for_selector("text=登录已过期")
    assert phone.locator("[data-state=waiting]").count() == 1


def test_a_new_space_is_added_in_english(site, phone, tmp_path):
    phone.context.add_cookies([{"name": "django_language", "value": "en", "url": site[0]}])
    phone.reload()
    phone.select_option("#form", "under_structure")
    phone.click("#add")
    phone.click("button:has-text('Done: send')")
    assert phone.locator("#name-fault").inner_text() == "Please answer"
    assert phone.locator("#position-fault").is_visible()
    phone.click("#position")
    phone.wait_for_selector("text=±8 m")
    phone.fill("#name", "Space 7")
    phone.select_option("#division", "430112") if phone.locator("select#division").count() else phone.check(
        "input[name=division]"
    )
    for name, value in (("structure_above", "bridge"), ("space_use", "parking"), ("use_state", "in_use")):
        phone.check(f"input[name={name}][value={value}]")
    photograph = tmp_path / "a.png"
    Image.new("RGB", (300, 200), "blue").save(photograph)
    phone.set_input_files("#photos", photograph)
    phone.wait_for_selector(".shots img")
    checked(phone)
    phone.click("button:has-text('Done: send')")
    phone.wait_for_selector("[data-state=sent]")
    phone.click("a:has-text('Open')")
    phone.wait_for_selector("text=Not on record yet")
    assert "Car park" in phone.locator("#main").inner_text()


def test_a_parcels_page_leads_to_its_own_form(site, phone):
    phone.goto(f"{site[0]}/parcel/430112001001GB00011/")
    phone.wait_for_selector("#checks a:has-text('到现场核查')")
    checked(phone)
    phone.click("#checks a:has-text('到现场核查')")
    phone.wait_for_selector(".filling")
    assert "430112001001GB00011" in phone.locator("#main").inner_text()
    assert phone.url.endswith("/survey/field/")
