"""A real browser over a real `panhuo serve`: first run, filter, chain, export, language, axe, map; GDAL."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyogrio
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "site"))
import made_workspace

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
]
PASSWORD = "a-long-enough-word"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A served workspace: (address, set-up address)."""
    folder = made_workspace.make(tmp_path_factory.mktemp("ws"), 200)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "serve.log"
    with log.open("w") as stream:
        env = {k: v for k, v in os.environ.items() if k not in ("PANHUO_WORKSPACE", "DJANGO_SETTINGS_MODULE")}
        command = [
            sys.executable,
            "-c",
            "from panhuo.cli import main; main()",
            "serve",
            str(folder),
            "--port",
            str(port),
        ]
        server = subprocess.Popen(command, stdout=stream, stderr=stream, env=env)
    try:
        for _ in range(300):
            if found := re.search(r"http\S+/setup/\S+", log.read_text()):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        yield f"http://127.0.0.1:{port}", found[0]
                        return
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
        pytest.fail(log.read_text())
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def page(site):
    """A browser page signed in as the administrator whom the set-up page just made."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium fonts-noto-cjk")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(accept_downloads=True)
        page.goto(site[1])
        page.fill("#id_username", "admin")
        page.fill("#id_password", PASSWORD)
        page.fill("#id_again", PASSWORD)
        page.click("main button.primary")
        page.wait_for_selector("dl.tiles")
        yield page
        browser.close()


def test_filter_open_a_parcel_its_chain_and_export(site, page):
    page.goto(f"{site[0]}/ledger/")
    page.select_option("#f-division", "430112")
    page.wait_for_url("**division=430112**")
    page.select_option("#f-findings", index=1)
    page.wait_for_url(re.compile(r"findings=\w+"))
    with page.expect_download() as waiting:
        page.click("text=CSV")
    lines = Path(waiting.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) - 1 == page.locator("#rows tbody tr").count()
    page.locator("a.id").first.click()
    page.locator(".finding a").first.click()
    assert page.locator("ol.chain > li").count() == 5


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
    assert "给定" in page.locator("#in-land_compensation_wan").inner_text()
    assert "799.6" in page.locator("#sums").inner_text()  # 800 less the stamp duty


def test_language_switches(site, page):
    page.goto(f"{site[0]}/ledger/")
    page.click("text=English")
    assert page.locator("h1").inner_text() == "Ledger"
    page.click("text=中文")
    assert page.locator("h1").inner_text() == "台账"


def test_the_map_draws_the_parcels(site, page):
    page.goto(f"{site[0]}/map/")
    page.wait_for_selector("#map[data-ready]", timeout=30_000)
    assert page.locator("#legend li").count() > 3


def test_a_box_on_the_map_becomes_a_list_and_the_link_shows_it_again(site, page):
    page.goto(f"{site[0]}/map/#at=14/28.366/112.806")
    page.wait_for_selector("#map[data-ready]", timeout=30_000)
    page.click("[data-draw=rectangle]")
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
    assert page.locator("#selection h2").inner_text().split()[0] == count
    page.click("#selection a.primary")
    assert page.locator("#list [role=status]").inner_text().startswith(f"共 {count} 条")


def test_a_parcel_is_found_on_the_map_with_the_keyboard(site, page):
    page.goto(f"{site[0]}/map/")
    page.wait_for_selector("#map[data-ready]", timeout=30_000)
    page.fill("#find", "430112001001GB00003")
    page.wait_for_selector("#found [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".about a.primary:focus")
    page.keyboard.press("Enter")
    page.wait_for_url("**/parcel/430112001001GB00003/")


def test_the_curtain_and_the_legend_are_in_the_link(site, page):
    page.goto(f"{site[0]}/map/")
    page.wait_for_selector("#map[data-ready]", timeout=30_000)
    page.click("#compare")
    page.wait_for_selector("#right-map[data-ready]", timeout=30_000)
    page.select_option("#scheme", "stage")
    page.locator("#legend button").first.click()
    assert re.search(r"curtain=1.*by=stage.*hide=", page.url)
    page.reload()
    page.wait_for_selector("#right-map[data-ready]", timeout=30_000)
    assert page.locator("#legend button").first.get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize(
    "path",
    ["/", "/ledger/", "/map/", "/jobs/", "/corrections/", "/people/new/", "/law/", "/parcel", "compare/"],
)
def test_axe_finds_nothing(site, page, path):
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci --ignore-scripts")
    page.goto(f"{site[0]}/ledger/")
    parcel = page.locator("a.id").nth(3).get_attribute("href")
    page.goto(site[0] + {"/parcel": parcel, "compare/": f"{parcel}compare/"}.get(path, path))
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']})")["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []


@pytest.mark.parametrize("path", ["/", "/ledger/", "/jobs/", "/law/"])
def test_a_phone_never_scrolls_sideways(site, page, path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site[0] + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_assessment_runs_in_the_background_with_progress(site, page):
    page.goto(f"{site[0]}/jobs/")
    page.click("form[action$='/jobs/assess/'] button")
    page.wait_for_selector("#job:has-text('完成'), #job:has-text('失败')", timeout=90_000)
    assert "完成" in page.locator("#job").inner_text()


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
