"""The pages answer: hover, keys, sorting, filtering, choosing, dark colours, print, and no fault that axe finds."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hand_made_walk
import pytest
from chromium import Browser
from hand_made_run import NASTY, made_explanation, made_run
from made_live import FIRST, NEW_YORK, lived

from pipeline.daily.page import record_of
from pipeline.report.live import write_live
from pipeline.report.page import render_html
from pipeline.studies.walkforward.page import render_walk

AXE = Path(__file__).parents[1] / "third_party" / "axe.min.js"

DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits until the page has told its scripts that it was scrolled, and they have answered."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("pages are tested in Chromium: install chromium")
    opened = Browser(program, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind, by the name of its file."""
    folder = tmp_path_factory.mktemp("pages")
    found = {
        "report": render_html(*made_run(champion=True, shares=40), made_explanation()),
        "walkforward": render_walk(hand_made_walk.walk(market="reversal_easy", best_auc=0.545)),
    }
    for name, page in found.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    live = lived(tmp_path_factory.mktemp("live"), sessions=30, shares=6)
    live.drifts(NEW_YORK[FIRST : FIRST + 30], lambda at: {"features_of_limit": at / 20, "losses_of_limit": at / 40})
    write_live(record_of(live.plan(), None, live.now), folder / "live.html")
    return {name: folder / f"{name}.html" for name in ("report", "walkforward", "live")}


Opened = Callable[..., Any]


@pytest.fixture
def shown(browser: Browser, pages: dict[str, Path]) -> Iterator[Opened]:
    """Opens a page; gives what evaluates an expression in it. Nothing may be complained of meanwhile."""

    def opened(name: str, width: int = 1400, scheme: str = "light", fragment: str = "", scripts: bool = True) -> Any:
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 768
        )
        browser.call(
            "Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        browser.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        # Without a page between them, one that differs by its fragment alone would not be opened anew.
        for address in ("about:blank", pages[name].as_uri() + fragment):
            browser.events.clear()
            browser.call("Page.navigate", url=address)
            browser.wait_for("Page.loadEventFired")
        return browser.evaluate

    yield opened
    complaints = [
        event
        for event in browser.events
        if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    ]
    assert complaints == []


def pointed_at(browser: Browser, element: str, across: float, down: float) -> None:
    """Moves the pointer to a place of an element, in parts of its width and height."""
    box = browser.evaluate(
        f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
        f" return [r.left, r.top, r.width, r.height]; }})(document.querySelector({json.dumps(element)}))"
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + across * box[2], y=box[1] + down * box[3])


def pressed(browser: Browser, key: str) -> None:
    named = {"text": "\r", "windowsVirtualKeyCode": 13} if key == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **named)


def test_a_chart_tells_exact_values_where_it_is_pointed_at(browser: Browser, shown: Opened) -> None:
    evaluate = shown("report")
    pointed_at(browser, "#chart-backtest .u-over", 0.5, 0.5)
    told = evaluate("document.querySelector('#chart-backtest .tip').innerText")
    numbers = json.loads(evaluate("document.querySelector('#chart-backtest script').textContent"))
    day = numbers["plots"][0]["x"].index(
        evaluate("Date.parse(document.querySelector('#chart-backtest .tip b').textContent) / 864e5")
    )
    for plot, write in zip(numbers["plots"], ("{:.3f}", "{:.1%}"), strict=True):
        for series in plot["series"]:
            assert write.format(series["values"][day]).replace("-", "\N{MINUS SIGN}") in told, series["name"]
    # A drawing that stays answers by the nearest of its marks.
    place = evaluate(
        """(chart => {
             const mark = JSON.parse(chart.querySelector('script').textContent).marks[1];
             const box = chart.querySelector('.answers > svg').viewBox.baseVal;
             return [mark[0] / box.width, mark[1] / box.height, mark[2]];
           })(document.querySelector('#chart-forest'))"""
    )
    pointed_at(browser, "#chart-forest .answers > svg", place[0], place[1])
    assert evaluate("document.querySelector('#chart-forest .tip').innerText") == place[2]
    model = made_run(champion=True, shares=40)[0].models["dnn"]
    assert place[2] == f"dnn: {model.auc:.3f} ({model.auc_low:.3f} to {model.auc_high:.3f})"


def test_all_is_done_with_the_keys_alone(browser: Browser, shown: Opened) -> None:
    evaluate = shown("report")
    evaluate("document.querySelector('#chart-backtest .answers').focus()")
    for key in ("Home", "ArrowRight"):
        pressed(browser, key)
    said = evaluate("document.querySelector('#chart-backtest [role=status]').textContent")
    numbers = json.loads(evaluate("document.querySelector('#chart-backtest script').textContent"))["plots"]
    assert f"long-short, 1 grows to {numbers[0]['series'][0]['values'][1]:.3f}" in said
    # A line is chosen, in all charts of its name at once, by a button that the keys reach.
    evaluate("document.querySelector('#chart-lift .keys button').focus()")
    pressed(browser, "Enter")
    pressedness = "[...document.querySelectorAll('.keys button')].filter(b => b.dataset.name === 'linear')"
    assert set(evaluate(f"{pressedness}.map(b => b.getAttribute('aria-pressed'))")) == {"false"}
    assert evaluate(f"{pressedness}.length") >= 3
    # So is a table sorted.
    table = "section[aria-labelledby=signal] table"
    column = f"[...document.querySelectorAll('{table} tbody tr')].map(r => parseFloat(r.cells[2].textContent))"
    before = evaluate(column)
    evaluate(f"document.querySelectorAll('{table} thead button')[2].focus()")
    for backwards in (True, False):
        pressed(browser, "Enter")
        assert evaluate(column) == sorted(before, reverse=backwards)
    assert len(set(before)) > 1


def test_days_are_chosen_in_all_charts_at_once(browser: Browser, shown: Opened) -> None:
    evaluate = shown("live")
    days = evaluate("JSON.parse(document.querySelector('#chart-evidence script').textContent).plots[0].x")
    first, last = (evaluate(f"new Date({day} * 864e5).toISOString().slice(0, 10)") for day in (days[5], days[12]))
    evaluate(
        f"""(fields => {{
               fields[0].value = '{first}';
               fields[1].value = '{last}';
               fields[1].dispatchEvent(new Event('change'));
            }})(document.querySelectorAll('#chart-evidence .days input'))"""
    )
    ends = "[...box.querySelectorAll('input')].map(field => field.value)"
    chosen = evaluate(f"[...document.querySelectorAll('.days')].map(box => {ends})")
    assert len(chosen) >= 3
    assert all(one == [first, last] for one in chosen)
    evaluate("document.querySelector('#chart-evidence .answers').focus()")
    pressed(browser, "Home")
    assert evaluate("document.querySelector('#chart-evidence [role=status]').textContent").startswith(first)
    evaluate("document.querySelector('.days button').click()")
    pressed(browser, "Home")
    assert evaluate("document.querySelector('#chart-evidence .from').value") != first


def test_tables_are_sorted_and_filtered_and_put_back(shown: Opened) -> None:
    evaluate = shown("report")
    evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    table = (
        "[...document.querySelectorAll('table')].find(t => /^share/.test(t.tHead.textContent) && t.rows.length > 30)"
    )
    names = f"[...{table}.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    before = evaluate(names)
    click = f"{table}.querySelector('thead button').click()"
    evaluate(click)
    assert evaluate(f"{table}.querySelector('th').getAttribute('aria-sort')") == "descending"
    assert evaluate(names) == sorted(before, key=str.lower, reverse=True)
    evaluate(click)
    assert evaluate(names) == sorted(before, key=str.lower)
    evaluate(click)
    assert evaluate(names) == before
    evaluate(
        f"""(field => {{ field.value = 'brk'; field.dispatchEvent(new Event('input')); }})
            ({table}.closest('.scroll').previousElementSibling)"""
    )
    assert evaluate(names) == ["BRK.B"]
    assert NASTY in before, "a name is text"


def test_cards_of_a_telephone_are_sorted_by_a_choice(shown: Opened) -> None:
    evaluate = shown("report", width=390)
    choice = "document.querySelector('section[aria-labelledby=signal] .cards select')"
    ranked = (
        "[...document.querySelectorAll('section[aria-labelledby=signal] tbody tr')].map(row => row.cells[2].innerText)"
    )
    evaluate(f"{choice}.value = '2 ascending'; {choice}.dispatchEvent(new Event('change'))")
    found = [float(text.split()[0]) for text in evaluate(ranked)]
    assert found == sorted(found)
    assert len(set(found)) > 1
    assert evaluate(f"{choice}.selectedOptions[0].textContent").startswith("rank IC")


def test_the_contents_follow_and_a_link_leads_deep(browser: Browser, shown: Opened) -> None:
    evaluate = shown("report", fragment="#honest")
    evaluate(DRAWN)
    assert abs(evaluate("document.getElementById('honest').getBoundingClientRect().top")) < 200
    heads = evaluate("[...document.querySelectorAll('section > h2')].map(h => h.id)")
    assert evaluate("[...document.querySelectorAll('.toc a')].map(a => a.hash.slice(1))") == heads
    evaluate("document.getElementById('splits').scrollIntoView()")
    evaluate(DRAWN)
    assert evaluate("document.querySelector('.toc [aria-current]').hash") == "#splits"


def test_dark_colours_are_the_system_s_or_chosen_and_paper_is_white(browser: Browser, shown: Opened) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    evaluate = shown("report")
    light = evaluate(background)
    evaluate = shown("report", scheme="dark")
    dark = evaluate(background)
    assert dark != light
    button = "document.querySelector('.toc button')"
    evaluate(f"{button}.click()")
    assert (evaluate(background), evaluate(f"{button}.textContent")) == (light, "Colours: light")
    evaluate(f"{button}.click()")
    assert evaluate(background) == dark
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    assert evaluate(background) in ("rgb(255, 255, 255)", light)
    assert evaluate("getComputedStyle(document.querySelector('.toc')).display") == "none"
    assert evaluate("getComputedStyle(document.querySelector('#chart-backtest .plots')).display") == "none"
    assert evaluate("getComputedStyle(document.querySelector('#chart-backtest .plots + svg')).display") == "block"
    evaluate(f"{button}.click()")


def test_without_scripts_the_drawings_stand(browser: Browser, shown: Opened) -> None:
    evaluate = shown("report", scripts=False)
    assert evaluate("document.querySelectorAll('.toc, .plots').length") == 0
    evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    heights = evaluate(
        "[...document.querySelectorAll('figure.chart > svg')].map(s => s.getBoundingClientRect().height)"
    )
    assert len(heights) == evaluate("document.querySelectorAll('figure.chart').length") > 10
    assert min(heights) > 90


def test_no_other_script_runs(browser: Browser, shown: Opened) -> None:
    evaluate = shown("walkforward")
    evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.intruded = 1'}))"
    )
    assert evaluate("window.intruded") is None
    refused = [event for event in browser.events if event.get("method") == "Log.entryAdded"]
    assert "Content Security Policy" in str(refused)
    browser.events.clear()


@pytest.mark.parametrize("name", ["report", "walkforward", "live"])
@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (390, "light")])
def test_axe_finds_no_serious_fault(browser: Browser, shown: Opened, name: str, width: int, scheme: str) -> None:
    evaluate = shown(name, width, scheme)
    assert evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    faults = evaluate(
        """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
            .filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => one.id + ': ' + one.nodes.slice(0, 3)
                 .map(node => node.html.slice(0, 200) + ' ' + node.failureSummary).join(' | ')))"""
    )
    assert faults == []
