"""A real browser over a real `panhuo serve`: first run, filter, chain, export, language, axe; GDAL."""

import re
from pathlib import Path

import pyogrio
import pytest
from conftest import checked
from playwright.sync_api import expect


def test_filter_open_a_parcel_its_chain_and_export(site, page):
    page.goto(f"{site[0]}/ledger/")
    page.click("#c-division summary")
    page.check("#c-division input[value='430112']")
    page.wait_for_url("**division=430112**")
    page.wait_for_selector("#said:has-text('条')", state="attached")
    page.click("#c-findings summary")
    page.locator("#c-findings input").first.check()
    page.wait_for_url(re.compile(r"findings=\w+"))
    page.keyboard.press("Escape")
    assert page.locator("#c-findings > summary").evaluate("e => e === document.activeElement")
    with page.expect_download() as waiting:
        page.click(".tools a:text-is('CSV')")
    lines = Path(waiting.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) - 1 == page.locator("#rows tbody tr").count()
    page.locator("a.id").first.click()
    page.locator(".finding a").first.click()
    page.wait_for_selector("ol.chain > li:nth-child(5)")
    assert page.locator("ol.chain > li").count() == 5


def test_a_condition_on_any_field_is_added_with_the_keyboard_and_the_ticked_rows_are_exported(site, page):
    page.goto(f"{site[0]}/ledger/contracts/")
    page.select_option("#add", "invested_wan")
    page.focus("text=加条件")
    page.keyboard.press("Enter")
    page.wait_for_selector("#c-invested_wan[open] > summary:focus")
    page.keyboard.press("Tab")
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.wait_for_url("**invested_wan.min=5**")
    page.keyboard.press("Escape")
    page.wait_for_selector(".chips:has-text('已投资额 ≥ 5')")
    page.check("[data-tick-all]")
    expect(page.locator("[data-ticked]")).to_have_text("50")
    with page.expect_download() as waiting:
        page.click("#bulk button:text-is('CSV')")
    assert len(Path(waiting.value.path()).read_text("utf-8-sig").splitlines()) == 51


def test_a_condition_just_added_does_not_take_the_focus_back(site, page):
    page.goto(f"{site[0]}/ledger/contracts/")
    page.evaluate("""document.addEventListener("focusin", function move(event) {
      if (!event.target.matches("#c-invested_wan > summary")) return;
      document.removeEventListener("focusin", move);
      queueMicrotask(() => document.querySelector("#f-invested_wan").focus());
    })""")  # somebody quicker than the page settles
    page.select_option("#add", "invested_wan")
    page.click("text=加条件")
    page.wait_for_selector("#f-invested_wan:focus")
    page.wait_for_timeout(200)
    assert page.evaluate("document.activeElement.id") == "f-invested_wan"


def test_inputs_are_edited_on_screen_and_the_ways_worked_out_anew(site, page):
    page.goto(f"{site[0]}/ledger/?tools=agreed_resumption")
    page.goto(site[0] + page.locator("a.id").first.get_attribute("href") + "compare/")
    for box in page.locator("input[name=tool]").all():
        box.set_checked(box.get_attribute("value") == "agreed_resumption")
    again = "#inputs button:text-is('重新测算')"
    with page.expect_navigation():
        page.click(again)
    page.fill("#i-land_compensation_wan", "800 (700~900)")
    with page.expect_navigation():
        page.click(again)
    expect(page.locator("#in-land_compensation_wan")).to_contain_text("给定")
    expect(page.locator("#sums")).to_contain_text("799.6")  # 800 less the stamp duty


def test_language_switches(site, page):
    page.goto(f"{site[0]}/ledger/")
    page.click("text=English")
    expect(page.locator("h1")).to_have_text("Ledger")
    page.click("text=中文")
    expect(page.locator("h1")).to_have_text("台账")


@pytest.mark.parametrize(
    "path",
    ["/", "/ledger/?add=price_wan", "/map/", "/jobs/", "/corrections/", "/people/new/", "/trail/", "/law/", "/parcel",
     "compare/", "/firm", "/item"],
)  # fmt: skip
def test_axe_finds_nothing(site, page, path):
    page.goto(f"{site[0]}/ledger/")
    parcel = page.locator("a.id").nth(3).get_attribute("href")
    page.goto(f"{site[0]}/ledger/enterprises/")
    firm = page.locator("a.id").first.get_attribute("href")
    named = {"/parcel": parcel, "compare/": f"{parcel}compare/", "/firm": firm,
             "/item": f"{firm}score/hunan_default/tax_per_mu/"}  # fmt: skip
    page.goto(site[0] + named.get(path, path))
    checked(page)


@pytest.mark.parametrize("path", ["/", "/ledger/", "/jobs/", "/law/", "/corrections/", "/trail/"])
def test_a_phone_never_scrolls_sideways(site, page, path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site[0] + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_assessment_runs_in_the_background_with_progress(site, page):
    page.goto(f"{site[0]}/jobs/")
    page.click("form[action$='/jobs/assess/'] button")
    page.wait_for_selector("#job:has-text('完成'), #job:has-text('失败')", timeout=90_000)
    expect(page.locator("#job")).to_contain_text("完成")


def test_gdal_reads_the_ogc_endpoint(site, page):
    page.goto(f"{site[0]}/tokens/")
    page.fill("#id_name", "gdal")
    page.click("main button.primary")
    key = page.locator("#new-key").inner_text()
    pyogrio.set_gdal_config_options({"GDAL_HTTP_USERPWD": f"token:{key}", "GDAL_HTTP_AUTH": "BASIC"})
    try:
        assert "parcels" in pyogrio.list_layers(f"OAPIF:{site[0]}/ogc/")[:, 0]
        layer = pyogrio.raw.read_arrow(f"OAPIF:{site[0]}/ogc/", layer="parcels")[1]
    finally:
        pyogrio.set_gdal_config_options({"GDAL_HTTP_USERPWD": None, "GDAL_HTTP_AUTH": None})
    assert layer.num_rows == 200
