"""The page as a browser shows it, on telephones and wide screens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from hand_made_run import NAMES, made_explanation, made_run
from judged_files import judged, made_forecasts, made_market
from made_live import FIRST, NEW_YORK, lived

from components.judging.forecast_columns import ColumnChoice
from pipeline.daily.page import record_of
from pipeline.report.live import write_live
from pipeline.report.page import render_html, write_report
from pipeline.uses.judge import write_judgement


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        # A machine of one's own may do without a browser; CI installs it, and there its absence is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the page is tested in Chromium: install chromium")
    opened = Browser(program, tmp_path / "profile")
    yield opened
    opened.close()


def assert_fits(browser: Browser) -> None:
    """No width makes the page scroll sideways, or cuts anything off."""
    for width in (360, 400, 768, 1200):
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 768
        )
        # Charts take their new width with the next frame.
        browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        # An element that a box of its own scrolls does not count: the page must not scroll sideways, nor be cut off.
        beyond = browser.evaluate(
            """[...document.querySelectorAll('body *')]
                 .filter(e => !e.closest('.scroll, .toc ol, svg, .timeline, .ticks'))
                 .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
                 .map(e => e.outerHTML)"""
        )
        assert beyond == [], width
        assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.slow
@pytest.mark.parametrize("champion", [True, False])
def test_the_page_in_chromium(browser: Browser, tmp_path: Path, champion: bool) -> None:
    run = made_run(champion=champion, shares=40)
    write_report(*run, tmp_path / "run")
    page = tmp_path / "run" / "report.html"
    if champion:  # and once with what `awesome explain` adds
        page.write_text(render_html(*run, made_explanation()), encoding="utf-8")
    address = page.as_uri()
    browser.call("Page.navigate", url=address)
    browser.wait_for("Page.loadEventFired")
    assert browser.evaluate("document.querySelectorAll('svg[role=img]').length") == 11 + len(NAMES) * (1 + champion)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert_fits(browser)
    # The main table is not scrolled even on a telephone.
    browser.call("Emulation.setDeviceMetricsOverride", width=360, height=900, deviceScaleFactor=1, mobile=True)
    assert browser.evaluate("(t => t.scrollWidth - t.parentNode.clientWidth)(document.querySelector('.results'))") <= 0
    # Text in a drawing has at least 8 CSS pixels there, where scripts are off, too.
    browser.evaluate("document.querySelectorAll('.plots + svg').forEach(e => { e.style.display = 'block'; })")
    sizes = browser.evaluate(
        """[...document.querySelectorAll('svg text')].map(
             t => parseFloat(getComputedStyle(t).fontSize) * Math.hypot(t.getScreenCTM().a, t.getScreenCTM().b))"""
    )
    assert min(sizes) >= 8
    requested = {
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    }
    # What is within the browser, such as the icon of a field for dates, is from nowhere.
    assert {one for one in requested if not one.startswith("data:")} == {address}
    complaints = [
        event
        for event in browser.events
        if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    ]
    assert complaints == []


@pytest.mark.slow
def test_long_names_of_models_stay_within_the_page_and_its_charts(browser: Browser, tmp_path: Path) -> None:
    long = "a_model_of_my_own_with_a_very_long_name_that_goes_on_and_on"
    write_report(*made_run(champion=True, shares=12, names=("linear", long)), tmp_path)
    browser.call("Page.navigate", url=(tmp_path / "report.html").as_uri())
    browser.wait_for("Page.loadEventFired")
    assert_fits(browser)
    # Labels and legends of drawings, which are cut off where they leave the view box.
    browser.evaluate("document.querySelectorAll('.plots + svg').forEach(e => { e.style.display = 'block'; })")
    outside = browser.evaluate(
        """[...document.querySelectorAll('svg[role=img] text')].filter(t => {
             const [text, box] = [t, t.closest('svg')].map(e => e.getBoundingClientRect());
             return text.width && (text.left < box.left - 2 || text.right > box.right + 2);
           }).map(t => t.textContent)"""
    )
    assert outside == []


@pytest.mark.slow
def test_the_page_of_a_live_record_in_chromium(browser: Browser, tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=30, shares=6)
    live.drifts(NEW_YORK[FIRST : FIRST + 30], lambda at: {"features_of_limit": at / 20, "losses_of_limit": at / 40})
    address = write_live(record_of(live.plan(), None, live.now), tmp_path / "live.html").as_uri()
    browser.call("Page.navigate", url=address)
    browser.wait_for("Page.loadEventFired")
    assert browser.evaluate("document.querySelectorAll('svg[role=img]').length") == 5
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert_fits(browser)


@pytest.mark.slow
def test_the_page_of_a_judgement_in_chromium(browser: Browser, tmp_path: Path) -> None:
    plan = made_market(tmp_path, shares=40)
    made = judged(plan, made_forecasts(plan), ColumnChoice(("good", "coin"), ("signal",)))
    write_judgement(made, tmp_path / "judged")
    browser.call("Page.navigate", url=(tmp_path / "judged" / "judgement.html").as_uri())
    browser.wait_for("Page.loadEventFired")
    assert browser.evaluate("document.querySelectorAll('svg[role=img]').length") == 7
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert_fits(browser)
