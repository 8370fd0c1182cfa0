"""A part of a parcel drawn over it: what the hand drew beyond the boundary is cut off, and the next visit shows it."""

import json

import shapely
from conftest import sign_in

PARCEL = "430112001001GB00004"


def setup_of(page):
    return json.loads(page.locator("#map-setup").text_content())


def test_a_part_is_drawn_over_its_parcel(site, person, browser):
    person("画地经办")
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    sign_in(site, page, "画地经办")
    page.goto(f"{site[0]}/lots/new/?parcel={PARCEL}")
    whole = shapely.from_geojson(json.dumps(setup_of(page)["parcel"]))
    for field, value in (
        ("title", "半宗地"),
        ("price", ""),
        ("office", "自然资源局"),
        ("phone", "0731-88061234"),
    ):
        page.fill(f"#id_{field}", value)
    page.fill("#id_area_m2", "100")
    page.click("#draw-part")
    page.wait_for_selector("#draw-map[data-ready]")
    box = page.locator("#map canvas").first.bounding_box()
    middle, west = box["x"] + box["width"] / 2, box["x"] + box["width"] / 2 - 170
    low, high = box["y"] + 8, box["y"] + box["height"] - 8
    for x, y in ((west, low), (middle, low), (middle, high), (west, high)):
        page.mouse.click(x, y)  # the west half, and more
    page.mouse.click(west, low)  # the first corner again ends it
    page.wait_for_selector("#map-says:has-text('亩')")
    drawn = shapely.from_geojson(page.input_value("#id_part"))
    assert not whole.covers(drawn)
    page.click("button[value=save]")
    page.wait_for_url("**/lots/*/")
    page.goto(f"{page.url}edit/")
    kept = shapely.from_geojson(json.dumps(setup_of(page)["part"]))
    assert kept.symmetric_difference(whole & drawn).area < 1e-12
    assert 0 < kept.area < whole.area
    page.click("#draw-part")
    page.wait_for_selector("#draw-map[data-ready]")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
