"""A clerk works a case in a real browser: opens it, is refused an early step, does steps, takes a notice."""

import io
from pathlib import Path

import docx
import pytest
from conftest import checked, sign_in

DAY = "2026-10-12"


@pytest.fixture
def clerk(site, person, stranger):
    """A clerk of 430112, signed in, on the page of a parcel."""
    person("clerk-of-cases")
    sign_in(site, stranger, "clerk-of-cases")
    stranger.goto(f"{site[0]}/ledger/?division=430112")
    stranger.locator("a.id").nth(1).click()
    stranger.wait_for_selector("#open-procedure")
    return stranger


def record(page, step, outcome="", note=""):
    page.click(f"#s-{step} .do > summary")
    page.fill(f"#day-{step}", DAY)
    if outcome:
        page.check(f"#s-{step} input[value='{outcome}']")
    page.fill(f"#note-{step}", note)
    page.click(f"#s-{step} form button")


def test_a_case_is_opened_worked_refused_and_its_notice_taken(site, clerk):
    clerk.select_option("#open-procedure", "p02_idle_inquiry")
    clerk.fill("#open-began", "2026-10-09")
    clerk.click("#cases form button")
    clerk.wait_for_selector("#s-notice.open")
    assert clerk.locator("#s-materials.waiting").inner_text().count("先办")
    assert clerk.locator("#s-materials .do").count() == 0  # nothing is offered that would be refused
    clerk.click("#s-notice .do > summary")
    checked(clerk)
    clerk.click("#s-notice .do > summary")
    clerk.set_input_files("#file-notice", {"name": "送达回证.txt", "mimeType": "text/plain", "buffer": b"x"})
    record(clerk, "notice", note="通 2026-7 号")
    clerk.wait_for_selector("#s-notice.done")
    assert "送达回证.txt" in clerk.locator("#s-notice").inner_text()
    assert "2026-11-11" in clerk.locator("#s-materials").inner_text()
    # Another window still shows the step as open: what it sends is refused with the reason, and nothing is kept.
    clerk.evaluate("""document.querySelector("#s-materials [name=step]").value = "cause" """)
    record(clerk, "materials", "filed")
    clerk.wait_for_selector("[role=alert]")
    assert "先办：提交动工开发情况" in clerk.locator("[role=alert]").first.inner_text()
    record(clerk, "materials", "none")
    clerk.wait_for_selector("#s-materials.done")
    with clerk.expect_download() as waiting:
        clerk.click("#notices a:text-is('Word')")
    written = docx.Document(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    told = "\n".join(p.text for p in written.paragraphs)
    assert "闲置土地调查通知书" in told
    assert "2026年10月12日" in told
    clerk.click("details:has(#undo-reason) > summary")
    clerk.fill("#undo-reason", "日期登错")
    clerk.click("details:has(#undo-reason) form button")
    clerk.wait_for_selector("#s-materials.open")
    assert "日期登错" in clerk.locator("ol.history").inner_text()
    clerk.goto(f"{site[0]}/casework/")
    assert "闲置土地调查认定" in clerk.locator("tbody").inner_text()
    checked(clerk)
    clerk.click("tbody td a")
    clerk.wait_for_selector("#cases .overdue")
    checked(clerk)  # the parcel, with a case that is late
    clerk.goto(f"{site[0]}/")
    clerk.wait_for_selector("[aria-label='案件期限']")
    checked(clerk)
