"""Signing in, in a real browser: a second factor from enrolment to recovery; an OpenID provider and its failures."""

import base64
import hashlib
import hmac
import struct
import time

from conftest import PASSWORD, sign_in
from playwright.sync_api import expect


def totp(secret, steps=0):
    """The code of RFC 6238 of now, or of some steps of thirty seconds later."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def sign_out(page):
    page.click("details.menu summary")
    page.click("form[action='/account/logout/'] button")
    page.wait_for_url("**/account/login/**")


def second(page, code):
    page.fill("#id_code", code)
    page.click("main button[type=submit] >> nth=0")


def test_a_second_factor_is_enrolled_asked_for_and_recovered_from(site, person, stranger):
    person("两步")
    sign_in(site, stranger, "两步")
    stranger.wait_for_selector("dl.tiles")
    stranger.goto(f"{site[0]}/account/2fa/totp/activate/")
    stranger.fill("#id_password", PASSWORD)  # enrolling asks for it once more
    stranger.click("main button.primary")
    secret = stranger.locator("#authenticator_secret").input_value()
    second(stranger, "000000" if totp(secret) != "000000" else "111111")
    stranger.wait_for_selector(".errorlist")
    second(stranger, totp(secret))
    stranger.wait_for_url("**/account/2fa/recovery-codes/**")
    recovery = stranger.locator("main textarea").input_value().split()
    assert len(recovery) == 10
    sign_out(stranger)

    sign_in(site, stranger, "两步")
    stranger.wait_for_url("**/account/2fa/authenticate/**")
    stranger.goto(f"{site[0]}/ledger/")
    stranger.wait_for_url("**/account/2fa/authenticate/**")  # the password alone opens nothing
    second(stranger, "000000" if totp(secret, 1) != "000000" else "111111")
    stranger.wait_for_selector(".errorlist")
    second(stranger, totp(secret, 1))
    stranger.wait_for_selector("dl.tiles")
    sign_out(stranger)

    sign_in(site, stranger, "两步")
    second(stranger, recovery[0])
    stranger.wait_for_selector("dl.tiles")
    sign_out(stranger)
    sign_in(site, stranger, "两步")
    second(stranger, recovery[0])
    stranger.wait_for_selector(".errorlist")  # a recovery code opens once
    second(stranger, recovery[1])
    stranger.wait_for_selector("dl.tiles")


def through(site, page, who):
    """From the login page to the provider, there signed in as `who`, and back."""
    page.goto(f"{site[0]}/account/login/")
    page.click("button:has-text('统一认证')")
    page.click(f"button[value='{who}']")
    page.wait_for_url(f"{site[0]}/**")


def test_a_first_sign_on_gives_no_powers_until_an_administrator_grants_them(site, page, openid, stranger):
    openid.people["新人"] = {"sub": "s-1", "account": "xinren"}
    through(site, stranger, "新人")
    assert stranger.url == f"{site[0]}/public/"
    expect(stranger.locator(".messages")).to_contain_text("尚未分配角色")
    assert stranger.goto(f"{site[0]}/ledger/").status == 403
    page.goto(f"{site[0]}/people/")
    page.click("text=xinren")
    page.select_option("#id_role", "clerk")
    page.fill("#id_divisions", "430112")
    page.click("main button.primary")
    page.wait_for_url("**/people/")
    sign_out(stranger)
    through(site, stranger, "新人")
    stranger.goto(f"{site[0]}/ledger/")
    assert stranger.locator("#rows tbody tr").count() > 0


def test_an_identity_joins_the_account_its_claim_names_and_no_other_identity_does(
    site, person, openid, stranger
):
    person("laozhang")
    openid.people["老张"] = {"sub": "s-2", "account": "laozhang", "preferred_username": "admin"}
    through(site, stranger, "老张")
    stranger.wait_for_selector("dl.tiles")
    expect(stranger.locator("details.menu summary")).to_contain_text("laozhang")
    sign_out(stranger)
    openid.people["冒名"] = {"sub": "s-3", "account": "laozhang"}
    through(site, stranger, "冒名")
    expect(stranger.locator(".messages")).to_contain_text("已与另一身份绑定")
    assert "/account/login/" in stranger.url


def test_what_goes_wrong_is_said_on_the_login_page(site, page, openid, stranger):
    openid.people["无名"] = {"sub": "s-4", "preferred_username": "admin"}
    openid.people["怪名"] = {"sub": "s-5", "account": "a b<c>"}
    for who, word in (("cancel", "已取消"), ("无名", "没有给出用户名"), ("怪名", "不合规")):
        through(site, stranger, who)
        expect(stranger.locator(".messages")).to_contain_text(word)
        assert "/account/login/" in stranger.url
    stranger.goto(f"{site[0]}/account/oidc/office/login/callback/?code=x&state=forged")
    expect(stranger.locator(".messages")).to_contain_text("没有成功")
    openid.down = True
    try:
        stranger.click("button:has-text('统一认证')")
        expect(stranger.locator(".messages")).to_contain_text("没有应答")
    finally:
        openid.down = False
    openid.people["离岗"] = {"sub": "s-6", "account": "ligang"}
    through(site, stranger, "离岗")
    sign_out(stranger)
    page.goto(f"{site[0]}/people/")
    page.click("text=ligang")
    page.uncheck("#id_is_active")
    page.click("main button.primary")
    through(site, stranger, "离岗")
    expect(stranger.locator(".messages")).to_contain_text("已停用")
