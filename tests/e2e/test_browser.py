"""The sample's page in a real browser: a person adds a text, sees it, deletes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.conftest import Sample
from tests.support.harness import OUTPUT, http, until

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # CI's containers run as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page() -> Iterator[Page]:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert browser, "no Chromium on PATH: install the package `chromium`"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        yield running.new_page(viewport={"width": 1280, "height": 900})
        running.close()


def test_a_text_is_added_and_deleted(sample: Sample, page: Page) -> None:
    text = "typed by a person"
    for row in http("http://localhost/api/fetch").json():
        http("http://localhost/api/delete", "DELETE", {"id": row["id"]})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    outside: list[str] = []
    page.on(
        "request",
        lambda request: (
            outside.append(request.url)
            if not request.url.startswith(("http://localhost/", "data:"))
            else None
        ),
    )

    page.goto("http://localhost/")
    expect(page).to_have_title("Sample · kindctl")
    page.locator("#text").fill(text)
    page.locator("#add").click()
    row = page.locator("#rows [data-id]").filter(has_text=text)
    expect(row).to_be_visible()
    assert text in [found["text"] for found in http("http://localhost/api/fetch").json()]
    page.screenshot(path=str(OUTPUT / "page.png"), full_page=True)

    page.locator("#text").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#text-error")).to_be_visible()
    page.screenshot(path=str(OUTPUT / "page-duplicate.png"), full_page=True)

    row.locator(".delete").click()
    expect(row).to_have_count(0)
    until(lambda: not http("http://localhost/api/fetch").json(), 10, "the row goes")
    assert text not in [found["text"] for found in http("http://localhost/api/fetch").json()]
    assert errors == []
    assert outside == []
