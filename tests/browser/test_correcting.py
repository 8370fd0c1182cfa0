"""A correction from hand to hand in a real browser: a photograph as evidence, a second person who looks and decides."""

import re

from conftest import checked, sign_in
from PIL import Image
from playwright.sync_api import expect


def test_a_clerk_corrects_with_a_photograph_and_a_leader_sees_it_and_approves(
    site, person, browser, tmp_path
):
    photograph, register = tmp_path / "现场.jpg", tmp_path / "登记簿.pdf"
    for file in (photograph, register):
        Image.new("RGB", (120, 80), "green").save(file)
    person("更正经办")
    person("更正领导", "leader")
    clerk, leader = browser.new_context().new_page(), browser.new_context().new_page()
    sign_in(site, clerk, "更正经办")
    clerk.wait_for_selector("dl.tiles")
    clerk.goto(f"{site[0]}/correct/parcels/430112001001GB00005/")
    clerk.select_option("#field", "tenure")
    clerk.wait_for_selector("select#value")
    clerk.select_option("#value", "collective")
    clerk.fill("#evidence", "登记簿第12页")
    clerk.set_input_files("#file", [photograph, register])
    clerk.click("button:has-text('提交审核')")
    clerk.wait_for_selector("text=您提出的更正须由另一人审核")

    sign_in(site, leader, "更正领导")
    leader.wait_for_selector("dl.tiles")
    leader.goto(f"{site[0]}/corrections/")
    leader.click("a:has-text('430112001001GB00005')")
    expect(leader.locator("h1")).to_have_text(re.compile("^权利性质"))
    # Not wait_for_function: where it must poll it evaluates text, which the site's content policy refuses.
    seen = leader.locator(".evidence img").evaluate("i => i.decode().then(() => i.naturalWidth)")
    assert seen == 120
    assert leader.locator(".evidence iframe").count() == 1
    checked(leader, iframes=False)
    leader.click("button:has-text('通过')")
    leader.wait_for_url("**/corrections/")
    leader.goto(f"{site[0]}/corrections/?state=approved")
    assert "更正领导" in leader.locator("tbody").inner_text()
    for page in (clerk, leader):
        page.context.close()
