"""The map in a real browser: parcels and conflicts drawn, selection, search, curtain, a basemap that refuses."""

import io
import re
import time

import numpy as np
from PIL import Image
from playwright.sync_api import expect

NEAR = "#at=15/28.368/112.806"


def open_map(site, page, address=""):
    page.goto("about:blank")  # an address that differs in its hash alone is not loaded anew
    page.goto(f"{site[0]}/map/{address}")
    page.wait_for_selector("#map[data-ready]", timeout=30_000)


def where_colour(page, red, green, blue, within=30):
    """Which pixels of the screen are about that colour."""
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    return (np.abs(shot - (red, green, blue)) < within).all(axis=2)


def of_colour(page, red, green, blue, within=30):
    """How many pixels of the screen are about that colour."""
    return int(where_colour(page, red, green, blue, within).sum())


def until(holds, seconds=20):
    """Waits for the picture: what is drawn comes a few frames after what asked for it."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.2)
    assert holds()


def test_the_map_draws_the_parcels(site, page):
    open_map(site, page)
    assert page.locator("#legend li").count() > 3


def test_a_box_on_the_map_becomes_a_list_and_the_link_shows_it_again(site, page):
    open_map(site, page, "#at=14/28.366/112.806")
    page.click("[data-draw=rectangle]")
    page.wait_for_selector("[data-draw=rectangle][aria-pressed=true]")
    page.mouse.move(600, 350)
    page.mouse.down()
    page.mouse.move(700, 450, steps=5)
    page.mouse.move(800, 550, steps=5)
    page.mouse.up()
    page.wait_for_selector("#selection a.primary")
    count = page.locator("#selection h2").inner_text().split()[0]
    assert int(count) > 0
    page.reload()
    page.wait_for_selector("#selection a.primary")
    expect(page.locator("#selection h2")).to_have_text(re.compile(rf"^\s*{count}\b"))
    page.click("#selection a.primary")
    expect(page.locator("#list [role=status]")).to_have_text(re.compile(f"^共 {count} 条"))


def test_a_parcel_is_found_on_the_map_with_the_keyboard(site, page):
    open_map(site, page)
    page.fill("#find", "430112001001GB00003")
    page.wait_for_selector("#found [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".about a.primary:focus")
    page.keyboard.press("Enter")
    page.wait_for_url("**/parcel/430112001001GB00003/")


def test_the_curtain_and_the_legend_are_in_the_link(site, page):
    open_map(site, page)
    page.click("#compare")
    page.wait_for_selector("#right-map[data-ready]", timeout=30_000)
    page.select_option("#scheme", "stage")
    page.locator("#legend button").first.click()
    page.wait_for_url(re.compile(r"curtain=1.*by=stage.*hide="))
    page.reload()
    page.wait_for_selector("#right-map[data-ready]", timeout=30_000)
    expect(page.locator("#legend button").first).to_have_attribute("aria-pressed", "false")


def test_conflicts_lie_over_the_parcels_and_can_be_switched_off(site, page):
    open_map(site, page, NEAR)
    until(lambda: of_colour(page, 0xE0, 0x40, 0x45) > 200)
    drawn = of_colour(page, 0xE0, 0x40, 0x45)
    page.uncheck("[data-layer=conflicts]")
    until(lambda: of_colour(page, 0xE0, 0x40, 0x45) < drawn / 5)
    open_map(site, page, "?off=conflicts" + NEAR)
    page.wait_for_timeout(500)
    assert of_colour(page, 0xE0, 0x40, 0x45) < drawn / 5


def test_a_click_where_parcels_conflict_tells_how(site, page):
    open_map(site, page, NEAR)
    until(lambda: of_colour(page, 0xE0, 0x40, 0x45) > 200)
    red = where_colour(page, 0xE0, 0x40, 0x45)
    inside = red[:-4, :-4] & red[4:, 4:] & red[:-4, 4:] & red[4:, :-4]
    y, x = np.argwhere(inside)[0] + 2
    page.mouse.click(int(x), int(y))
    told = page.locator(".about li", has_text="界线冲突").first.inner_text()
    assert re.search(r"压盖 \d+\.\d m²", told)


def test_an_online_basemap_lies_under_the_parcels_and_is_asked_only_when_chosen(site, page, elsewhere):
    open_map(site, page, NEAR)
    assert page.locator("#ground option").all_inner_texts() == ["本地底图", "在线底图"]
    assert not elsewhere[1].asked
    page.select_option("#ground", "online")
    until(lambda: of_colour(page, 0x30, 0x50, 0xF0) > 50_000)
    # Web Mercator tiles of 256 pixels: one level more than the map's own.
    wanted = {f"/{layer}_w/16/53303/27378?tk=a-key" for layer in ("vec", "cva")}
    until(lambda: wanted <= set(elsewhere[1].asked))
    assert all(re.fullmatch(r"/(vec|cva)_w/16/\d+/\d+\?tk=a-key", path) for path in elsewhere[1].asked)
    assert "GS（2024）0650号" in page.locator(".maplibregl-ctrl-attrib").inner_text()


def test_a_basemap_that_refuses_leaves_the_offline_map(site, page, elsewhere, monkeypatch):
    monkeypatch.setattr(elsewhere[1], "good", False)
    open_map(site, page, "?ground=online" + NEAR)
    page.wait_for_selector("#map-says:has-text('本地底图')")
    expect(page.locator("#ground")).to_have_value("")
    until(lambda: of_colour(page, 0xF4, 0xF6, 0xF3, 3) > 50_000)
    assert of_colour(page, 0x30, 0x50, 0xF0) == 0


def test_the_map_waits_for_tiles_that_are_still_being_made(site, page):
    turns = []

    def busy(route):
        turns.append(route.request.url)
        route.fulfill(status=503) if len(turns) < 4 else route.continue_()

    page.route("**/d-all.pmtiles", busy)
    page.goto("about:blank")
    page.goto(f"{site[0]}/map/")
    page.wait_for_selector("#map-says:has-text('正在生成地图')")
    page.wait_for_selector("#map[data-ready]", timeout=30_000)
    page.wait_for_selector("#map-says", state="hidden")
    page.unroute("**/d-all.pmtiles")
    assert len(turns) > 4


def test_the_keyboard_reaches_legend_layers_and_a_selection(site, page):
    open_map(site, page, NEAR)
    page.focus("#legend button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#legend button[aria-pressed=false]:focus")
    page.keyboard.press("Space")
    page.wait_for_selector("#legend button[aria-pressed=true]:focus")
    page.focus("[data-layer=conflicts]")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("off=conflicts"))
    page.focus("#in-view")
    page.keyboard.press("Enter")
    page.wait_for_selector("#selection a.primary")
    page.focus("[data-draw=polygon]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-draw=polygon][aria-pressed=true]")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-draw=polygon][aria-pressed=false]")


def test_on_a_phone_what_is_selected_is_told(site, page):
    page.set_viewport_size({"width": 390, "height": 844})
    open_map(site, page, NEAR)
    assert not page.locator("#mapside").is_visible()
    page.click("#in-view")
    page.wait_for_selector("#selection a.primary")
    assert page.locator("#selection h2").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_conflicts_stand_on_the_parcel_page(site, page):
    page.goto(f"{site[0]}/parcel/430112001001GB00003/")
    assert page.locator("svg.outline path.clash").count() == 2
    assert page.locator("svg.outline path.clash").first.bounding_box()["width"] > 10
