"""A made workspace served by `panhuo serve`, a basemap of somebody else's, and a browser signed in."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "site"))
import made_workspace

CHROMIUM = shutil.which("chromium")
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
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
PHONE = {"width": 390, "height": 844}


class Elsewhere(BaseHTTPRequestHandler):
    """A basemap's server: blue tiles while the key is good, refusals after; what was asked is kept."""

    asked: ClassVar[list[str]] = []
    good: ClassVar[bool] = True

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200 if self.good else 403)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        if self.good:
            Image.new("RGB", (256, 256), "#3050f0").save(self.wfile, "PNG")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def elsewhere():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Elsewhere
    server.shutdown()


@contextmanager
def serving(folder, **given):
    """`panhuo serve` over a folder with what is given in its environment: (address, set-up address)."""
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
        server = subprocess.Popen(command, stdout=stream, stderr=stream, env=env | given)
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


@pytest.fixture(scope="session")
def site(tmp_path_factory, elsewhere, openid):
    """A served workspace: (address, set-up address)."""
    folder = made_workspace.make(tmp_path_factory.mktemp("ws"), 200)
    with serving(
        folder,
        PANHUO_TIANDITU_KEY="a-key",
        PANHUO_BASEMAP_URL=elsewhere[0] + "/{layer}_w/{z}/{x}/{y}?tk={key}",
        PANHUO_MAP_APPROVAL="GS（2024）0650号",
        PANHUO_OIDC=json.dumps(openid.asked_for()),
    ) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def openid():
    """An OpenID provider of the office."""
    from openid_provider import Provider

    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def browser():
    """Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium fonts-noto-cjk")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def page(site, browser):
    """A browser page signed in as the administrator whom the set-up page just made."""
    page = browser.new_page(accept_downloads=True)
    page.goto(site[1])
    page.fill("#id_username", "admin")
    page.fill("#id_password", PASSWORD)
    page.fill("#id_again", PASSWORD)
    page.click("main button.primary")
    page.wait_for_selector("dl.tiles")
    return page


@pytest.fixture
def person(site, page):
    """Makes somebody of 430112 on screen, as the administrator."""

    def make(name, role="clerk"):
        page.goto(f"{site[0]}/people/new/")
        page.fill("#id_username", name)
        page.select_option("#id_role", role)
        page.fill("#id_password", PASSWORD)
        page.fill("#id_divisions", "430112")
        page.click("main button.primary")
        page.wait_for_url("**/people/")

    return make


@pytest.fixture
def stranger(browser):
    """A browser that nobody is signed in to."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def sign_in(site, page, name):
    page.goto(f"{site[0]}/account/login/")
    page.fill("#id_login", name)
    page.fill("#id_password", PASSWORD)
    page.click("form[action='/account/login/'] button.primary")


def checked(page, iframes=True):
    """No fault of accessibility on the page, and nothing wider than a phone. iframes: also in those."""
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci --ignore-scripts")
    page.evaluate(AXE.read_text())
    run = "(iframes) => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa'], iframes})"
    found = page.evaluate(run, iframes)["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], page.url
    size = page.viewport_size
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.set_viewport_size(size)
