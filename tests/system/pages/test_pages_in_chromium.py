"""auth's pages in a real browser: by keyboard alone, on a narrow phone, in the dark, and without a policy violated."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser_pages import Pkce, authorize_url
from tests.support.chromium import Tab, chromium, require_chromium
from tests.support.system import System

pytestmark = pytest.mark.compose
_NARROW = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
_LABELLED = """[...document.querySelectorAll('input:not([type=hidden])')].every(input =>
  input.labels.length === 1 && (input.getAttribute('aria-describedby') ?? '').split(' ').filter(id => id)
    .every(id => document.getElementById(id) !== null))"""
_STRUCTURE = """document.documentElement.lang === 'en' && document.querySelectorAll('main').length === 1
  && document.querySelectorAll('h1').length === 1 && document.title.startsWith(document.querySelector('h1').innerText)
  && document.scripts.length === 0"""
_CONTRAST = """(() => {
  const light = text => {
    const part = text.match(/[0-9.]+/g).slice(0, 3).map(n => n / 255)
      .map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const ground = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? ground(element.parentElement) : colour;
  };
  return Math.min(...[...document.querySelectorAll('h1, p, li, label, button, code')].map(element => {
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
})()"""


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    require_chromium()
    async with chromium(tmp_path) as browser:
        tab = await browser.new_tab()
        await tab.ask("Emulation.setDeviceMetricsOverride", **_NARROW)
        yield tab


@pytest.fixture
def asked(system: System) -> str:
    redirect = f"{system.processor_url}/docs/oauth2-redirect"
    return system.auth_url + authorize_url("mayfly-docs", redirect, Pkce(), scope="jobs:read jobs:write admin")


async def _fine(tab: Tab) -> None:
    """Labels, landmarks, titles; nothing wider than the screen; text that can be read, in the light and in the dark."""
    for scheme in ("light", "dark"):
        media: list[dict[str, Any]] = [{"name": "prefers-color-scheme", "value": scheme}]
        await tab.ask("Emulation.setEmulatedMedia", features=media)
        assert await tab.run(_CONTRAST) >= 4.5, scheme
    assert await tab.run(_STRUCTURE)
    assert await tab.run(_LABELLED)
    assert await tab.run("document.documentElement.scrollWidth") <= _NARROW["width"]


async def _focus_is_seen(tab: Tab) -> None:
    assert await tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


async def test_a_person_logs_in_and_says_no_by_keyboard(tab: Tab, asked: str, system: System) -> None:
    await tab.open(asked)
    await tab.until("document.activeElement.id === 'username'")
    await _fine(tab)
    await tab.type("alice")
    await tab.press("Tab")
    await tab.type("not the password")
    await tab.press("Enter")
    await tab.until("document.title.startsWith('Log in: that did not work')")
    await tab.until("document.activeElement.id === 'password'")
    assert await tab.run("document.querySelector('[role=alert]').innerText") != ""
    await _fine(tab)
    await tab.type("wonderland-demo")
    await tab.press("Enter")
    await tab.until("document.title.startsWith('Let Mayfly docs page in?')")
    await _fine(tab)
    for value in ("allow", "deny"):
        await tab.press("Tab")
        assert await tab.run("document.activeElement.value") == value
        await _focus_is_seen(tab)
    await tab.press(" ")
    await tab.until(f"location.href.startsWith('{system.processor_url}/docs/oauth2-redirect?error=access_denied')")


async def test_a_person_enters_a_code_by_keyboard(tab: Tab, system: System) -> None:
    await tab.open(f"{system.auth_url}/oauth2/device?user_code=BBBB-BBBB")
    await tab.until("document.activeElement.id === 'username'")
    await _fine(tab)
    await tab.type("alice")
    await tab.press("Tab")
    await tab.type("wonderland-demo")
    await tab.press("Enter")
    await tab.until("document.activeElement.id === 'user_code'")
    assert await tab.run("document.activeElement.value") == "BBBB-BBBB"
    await _fine(tab)
    await tab.press("Enter")
    await tab.until("document.title.includes('did not work')")
    await tab.until("document.activeElement.getAttribute('aria-invalid') === 'true'")
    await _fine(tab)


async def test_a_link_that_can_not_be_used_says_so(tab: Tab, asked: str) -> None:
    await tab.open(asked.replace("mayfly-docs", "nobody"))
    assert "This link can't be used" in await tab.run("document.body.innerText")
    await _fine(tab)
