"""The docs page logs in at auth, as a person does it: by clicking and typing, in a real browser."""

from pathlib import Path

import pytest

from tests.support.chromium import Tab, chromium, require_chromium
from tests.support.system import System

pytestmark = pytest.mark.compose
_OAUTH = "[...document.querySelectorAll('.auth-container')].find(box => box.textContent.includes('authorizationCode'))"


@pytest.fixture(autouse=True)
def _chromium_is_here() -> None:
    require_chromium()


async def _press_authorize(docs: Tab) -> None:
    await docs.click(".auth-wrapper > button.authorize")
    await docs.until(f"{_OAUTH} !== undefined")
    await docs.run(f"{_OAUTH}.querySelector('button.authorize').id = 'authorize-by-page'")
    await docs.click("#authorize-by-page")


async def _log_in_and_allow_by_keyboard(window: Tab) -> None:
    await window.until("document.activeElement.id === 'username'")
    await window.type("testuser")
    await window.press("Tab")
    await window.type("testpass")
    await window.press("Enter")
    await window.until("document.title.startsWith('Let Mayfly docs page in?')")
    assert "see your jobs and their results" in await window.run("document.body.innerText")
    await window.press("Tab")
    assert await window.run("document.activeElement.value") == "allow"
    await window.press("Enter")


async def test_authorize_in_the_processors_docs_logs_in_at_auth(system: System, tmp_path: Path) -> None:
    async with chromium(tmp_path) as browser:
        docs = await browser.new_tab()
        await docs.open(f"{system.processor_url}/docs")
        await _press_authorize(docs)
        await _log_in_and_allow_by_keyboard(await browser.tab_of(f"{system.auth_url}/oauth2/authorize"))
        await docs.until(f"{_OAUTH}.textContent.includes('Logout')")
        await docs.click(".btn-done")
        await docs.click("[id$='list_jobs_api_process_get'] .opblock-summary-control")
        await docs.click("[id$='list_jobs_api_process_get'] .execute")
        await docs.until("document.querySelector('.live-responses-table .response-col_status') !== null")
        status = await docs.run("document.querySelector('.live-responses-table tbody .response-col_status').innerText")
        assert status.split()[0] == "200"
