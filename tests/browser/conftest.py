"""One Chromium for all tests of a file."""

import pytest
from browser.chromium import CHROMIUM


@pytest.fixture(scope="module")
def browser():
    # not every machine has it, and a conftest is read before a file can be skipped
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # a container has no sandbox of its own for it
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
