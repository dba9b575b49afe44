"""The pages answer, in a browser. It is long for all of its tests share the browser and the pages, which are dear.

Hover, keys, sorting, filtering, choosing, dark colours, print, and no fault that axe finds.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser
from every_page import PAGES, every_page
from hand_made_run import NAMES, NASTY, made_run

ROOT = Path(__file__).parents[2]
AXE = ROOT / "tests" / "third_party" / "axe.min.js"

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
    """A page of each kind that a command writes, by name."""
    return every_page(tmp_path_factory.mktemp("pages"))


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


def test_every_page_is_looked_at() -> None:
    """Whoever adds a page adds it to `every_page`, and so to what axe looks at."""
    folders = [ROOT / "pipeline", ROOT / "components", ROOT / "kubeflow"]
    whole = [path for folder in folders for path in folder.rglob("*.j2") if "<!DOCTYPE" in path.read_text("utf-8")]
    assert {path.name.removesuffix(".html.j2") for path in whole} == set(PAGES) - {"leaking"}


def pointed_at(browser: Browser, element: str, across: float, down: float) -> None:
    """Moves the pointer to a place of an element, in parts of its width and height."""
    box = browser.evaluate(
        f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
        f" return [r.left, r.top, r.width, r.height]; }})(document.querySelector({json.dumps(element)}))"
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + across * box[2], y=box[1] + down * box[3])


def pressed(browser: Browser, key: str) -> None:
    codes = {"Enter": {"text": "\r", "windowsVirtualKeyCode": 13}, "Tab": {"windowsVirtualKeyCode": 9}}
    named = codes.get(key, {})
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
           })(document.querySelector('#chart-calibration'))"""
    )
    pointed_at(browser, "#chart-calibration .answers > svg", place[0], place[1])
    assert evaluate("document.querySelector('#chart-calibration .tip').innerText") == place[2]


FOREST = "document.querySelector('#chart-forest {}')"


def test_figures_with_intervals_answer_and_models_can_be_hidden(browser: Browser, shown: Opened) -> None:
    evaluate = shown("report")
    markers = f"[...{FOREST.format('.rows')}.querySelectorAll('path')]"
    assert evaluate(f"{markers}.length") == len(NAMES)
    # The second row's marker, which is dnn's.
    evaluate(f"{markers}[1].id = 'second'")
    pointed_at(browser, "#second", 0.5, 0.5)
    model = made_run(champion=True, shares=40)[0].models["dnn"]
    told = f"dnn: {model.auc:.3f} ({model.auc_low:.3f} to {model.auc_high:.3f})"
    assert evaluate(f"{FOREST.format('.tip')}.innerText") == told
    # Rows of a model that is hidden make room; it is hidden in all charts of the page, and comes back.
    height = f"{FOREST.format('.rows')}.getBoundingClientRect().height"
    tall = evaluate(height)
    panel = "getComputedStyle(document.getElementById('calibration-panel-1')).display"
    button = "[...document.querySelectorAll('#chart-calibration .keys button')].find(b => b.dataset.name === 'dnn')"
    evaluate(f"{button}.click()")
    assert evaluate(f"{markers}.length") == len(NAMES) - 1
    assert evaluate(height) < tall
    assert evaluate(panel) == "none"
    assert "dnn" not in evaluate(f"{FOREST.format('.rows')}.textContent").replace("custom_dnn", "")
    evaluate(f"{FOREST.format('.answers')}.focus()")
    for key in ("Home", "ArrowRight"):
        pressed(browser, key)
    assert evaluate(f"{FOREST.format('[role=status]')}.textContent").startswith("custom_dnn: ")
    evaluate(f"{button}.click()")
    assert evaluate(f"{markers}.length") == len(NAMES)
    assert evaluate(panel) != "none"


def test_with_all_hidden_a_chart_is_empty_and_nothing_breaks(browser: Browser, shown: Opened) -> None:
    evaluate = shown("leaking", width=390)
    evaluate("document.querySelectorAll('#chart-forest .keys button').forEach(b => b.click())")
    assert evaluate(f"{FOREST.format('.rows')}.querySelectorAll('path').length") == 0
    evaluate(f"{FOREST.format('.answers')}.focus()")
    pressed(browser, "Home")
    assert evaluate(f"{FOREST.format('[role=status]')}.textContent") == ""


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("name", ["report", "leaking", "compare", "experiments"])
def test_labels_of_rows_lie_within_their_chart_and_apart(shown: Opened, name: str, width: int) -> None:
    evaluate = shown(name, width)
    cut = evaluate(
        """[...document.querySelectorAll('.rows')].flatMap(svg => {
             const box = svg.getBoundingClientRect();
             const texts = [...svg.querySelectorAll('text')].filter(one => one.textContent);
             const boxes = texts.map(one => one.getBoundingClientRect());
             const outside = texts.filter((_, at) => boxes[at].left < box.left - 1 || boxes[at].right > box.right + 1
               || boxes[at].bottom > box.bottom + 1);
             const onto = texts.filter((_, at) => boxes.some((other, place) => place > at
               && Math.min(boxes[at].right, other.right) - Math.max(boxes[at].left, other.left) > 1
               && Math.min(boxes[at].bottom, other.bottom) - Math.max(boxes[at].top, other.top) > 4));
             return [...outside, ...onto].map(one => one.textContent);
           })"""
    )
    assert evaluate("document.querySelectorAll('.rows').length") > 0
    assert cut == []


DRAWINGS = "[...document.querySelectorAll('.chart svg[role=img]')].filter(svg => svg.getBoundingClientRect().width > 0)"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", ["search", "report", "walkforward"])
def test_a_drawing_is_scrolled_by_on_a_telephone_and_its_text_stays_large(
    shown: Opened, name: str, scripts: bool
) -> None:
    evaluate = shown(name, 390, scripts=scripts)
    evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    sizes = evaluate(
        f"""{DRAWINGS}.flatMap(svg => [...svg.querySelectorAll('text')]
              .map(one => [one.getScreenCTM(), parseFloat(getComputedStyle(one).fontSize)])
              .map(([drawn, size]) => Math.hypot(drawn.a, drawn.b) * size))"""
    )
    assert min(sizes) >= 10
    assert evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    hidden = evaluate(
        f"""{DRAWINGS}.filter(svg => {{
              const holder = svg.parentElement;
              holder.scrollLeft = holder.scrollWidth;
              const end = holder.getBoundingClientRect().right + 1;
              return holder.scrollLeft === 0 || svg.getBoundingClientRect().right > end;
            }}).map(svg => svg.querySelector('title').textContent)"""
    )
    assert hidden == []


def test_a_wide_page_scrolls_no_drawing(shown: Opened) -> None:
    evaluate = shown("search")
    assert (
        evaluate(f"{DRAWINGS}.filter(svg => svg.parentElement.scrollWidth > svg.parentElement.clientWidth).length") == 0
    )
    assert evaluate(f"{DRAWINGS}.length") > 2


def test_the_keys_scroll_to_what_they_read_out(browser: Browser, shown: Opened) -> None:
    evaluate = shown("search", 390)
    chart = "document.querySelector('#chart-trials .answers')"
    evaluate(f"{chart}.focus()")
    pressed(browser, "End")
    assert evaluate(f"{chart}.scrollLeft") > 0
    within = evaluate(
        f"""(([tip, box]) => tip.left >= box.left - 1 && tip.right <= box.right + 1)
            ([{chart}.querySelector('.tip'), {chart}].map(one => one.getBoundingClientRect()))"""
    )
    assert within
    assert evaluate(f"{chart}.querySelector('.tip').textContent").startswith("trial ")


def test_a_chart_says_what_it_shows_to_those_who_cannot_see_it(shown: Opened) -> None:
    evaluate = shown("report")
    described = evaluate(
        """[...document.querySelectorAll('figure.chart .answers')].map(one =>
             [one.getAttribute('aria-label').split(':')[0],
              document.getElementById(one.getAttribute('aria-describedby'))?.textContent ?? ''])"""
    )
    assert len(described) > 10
    assert min(len(text) for _, text in described) > 20
    assert dict(described)["AUC and its uncertainty"].startswith("AUC by model: linear ")


def test_what_is_not_known_is_a_gap(shown: Opened) -> None:
    evaluate = shown("live")
    evaluate(DRAWN)
    plot = "JSON.parse(document.querySelector('#chart-drift script').textContent).plots[0]"
    values, days = evaluate(f"{plot}.series[0].values"), evaluate(f"{plot}.x")
    unknown = [at for at, value in enumerate(values) if value is None]
    assert unknown == list(range(12, 18))
    # Of the line's colour there is nothing where no session is known, and something on both sides.
    drawn = evaluate(
        """(chart => {
             const canvas = chart.querySelector('canvas'), pixels = canvas.getContext('2d');
             const probe = document.createElement('canvas').getContext('2d');
             probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--chart-c0');
             const wanted = probe.fillStyle.match(/[0-9a-f]{2}/g).map(part => parseInt(part, 16));
             const over = chart.querySelector('.u-over').getBoundingClientRect(), box = canvas.getBoundingClientRect();
             const columns = [];
             const all = pixels.getImageData(0, 0, canvas.width, canvas.height).data;
             for (let part = 0; part < 100; part++) {
               const x = Math.round(over.left - box.left + over.width * (part + 0.5) / 100);
               let seen = false;
               for (let at = 4 * x; at < all.length; at += 4 * canvas.width) {
                 seen ||= all[at + 3] > 100 && wanted.every((value, which) => Math.abs(all[at + which] - value) < 40);
               }
               columns.push(seen);
             }
             return columns;
           })(document.querySelector('#chart-drift'))"""
    )
    part = [100 * (day - days[0]) / (days[-1] - days[0]) for day in days]
    inside = drawn[int(part[12]) + 1 : int(part[17]) - 1]
    assert len(inside) > 5
    assert not any(inside)
    assert sum(drawn[: int(part[11]) - 1]) > 5
    assert sum(drawn[int(part[18]) + 1 :]) > 5


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


@pytest.mark.parametrize("name", [name for name in PAGES if name != "step"])
def test_what_the_keys_reach_is_seen_to_be_reached(browser: Browser, shown: Opened, name: str) -> None:
    evaluate = shown(name, 390)
    evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    reached = set()
    for _ in range(40):
        pressed(browser, "Tab")
        seen = evaluate(
            """(one => one === document.body ? null
                 : [one.tagName, getComputedStyle(one).outlineStyle, parseFloat(getComputedStyle(one).outlineWidth)])
               (document.activeElement)"""
        )
        if seen is None:  # round the page, back to the browser itself
            continue
        assert seen[1] != "none", seen
        assert seen[2] >= 2, seen
        reached.add(seen[0])
    assert {"A", "BUTTON"} <= reached


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


@pytest.mark.parametrize("name", PAGES)
def test_no_label_of_a_drawing_is_cut_off(shown: Opened, name: str) -> None:
    evaluate = shown(name, scripts=False)
    evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    outside = evaluate(
        """[...document.querySelectorAll('svg[role=img] text')].filter(one => {
             const [text, box] = [one, one.closest('svg')].map(part => part.getBoundingClientRect());
             return text.width && (text.left < box.left - 2 || text.right > box.right + 2
               || text.top < box.top - 2 || text.bottom > box.bottom + 2);
           }).map(one => one.textContent)"""
    )
    assert evaluate("document.querySelectorAll('svg[role=img] text').length") > 5
    assert outside == []


def test_no_other_script_runs(browser: Browser, shown: Opened) -> None:
    evaluate = shown("walkforward")
    evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.intruded = 1'}))"
    )
    assert evaluate("window.intruded") is None
    refused = [event for event in browser.events if event.get("method") == "Log.entryAdded"]
    assert "Content Security Policy" in str(refused)
    browser.events.clear()


@pytest.mark.parametrize("name", PAGES)
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
