from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asking import get

from components.extractor.replay.__main__ import main

WINDOW = "/web.ifzq.gtimg.cn/appstock/app/fqkline/get?param=sh600519,day,2020-01-01,2020-12-31,640,"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The command, the address it told, and how to use it."""
    # What the libraries below warn of is not ours to fix.
    warnings = ["-W", "error", "-W", "ignore::DeprecationWarning"]
    command = [sys.executable, *warnings, "-m", "components.extractor.replay", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            first, second = process.stdout.readline(), process.stdout.readline()
            assert first.startswith("replay server: http://127.0.0.1:"), first
            yield process, first.split()[-1].removeprefix("http://"), second.strip()
        finally:
            process.kill()


def test_it_serves_what_was_asked_for_until_sigterm():
    arguments = [
        *("--shares", "sh600519,AAPL", "--since", "2020-01-01", "--until", "2020-09-30", "--no-fixtures"),
        *("--split", "sh600519:2020-06-18:2", "--dividend", "*:2020-07-01:0.5", "--fault", "503:sh600519:1", "--log"),
    ]
    with running(*arguments) as (process, address, usage):
        assert usage == (
            f"AWESOME_SOURCES_URL=http://{address} awesome extract --source tencent --shares sh600519 "
            "--since 2020-01-01"
        )
        assert get(address, WINDOW).status == 503
        rows = get(address, WINDOW).json["data"]["sh600519"]["day"]
        assert (rows[0][0], rows[-1][0]) == ("2020-01-02", "2020-09-30")
        assert {row[0]: row[6]["FHcontent"] for row in rows if len(row) == 7} == {
            "2020-06-18": "10转10股",
            "2020-07-01": "10派5元",
        }
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["503", "200"]


@pytest.mark.parametrize("unnamed", [False, True])
def test_rights_and_events_that_no_row_names(unnamed):
    arguments = ["--shares", "sh600519", "--since", "2020-01-01", "--until", "2020-09-30", "--no-fixtures"]
    arguments += ["--rights", "sh600519:2020-06-18:0.3:12.5", *["--unnamed"] * unnamed]
    with running(*arguments) as (_, address, _usage):
        raw, adjusted = (get(address, WINDOW + asked).json["data"]["sh600519"] for asked in ("", "hfq"))
    told = [row[6]["FHcontent"] for row in raw["day"] if len(row) == 7]
    assert told == ([] if unnamed else ["10配3股配股价12.5元"])
    # 1.3 shares for one, and 0.3 x 12.5 paid for them.
    close, level = float(raw["day"][-1][2]), float(adjusted["hfqday"][-1][2])
    assert level == pytest.approx(1.3 * close - 3.75, abs=0.0051)


def test_ctrl_c_ends_a_synthetic_universe_quietly():
    arguments = ["--universe", "30", "--distinct", "3", "--scenario", "reversal", "--since", "2020-01-01"]
    with running(*arguments, "--until", "2020-12-31", "--exchange", "XNYS") as (process, address, usage):
        assert usage.startswith(f"AWESOME_SOURCES_URL=http://{address} TIINGO_API_KEY=any awesome extract")
        target = "/query2.finance.yahoo.com/v8/finance/chart/{}?period1=0&period2=4102444800&interval=1d"
        # The names AAA to ABD, of which every third has the same history.
        charts = [get(address, target.format(name)).json["chart"]["result"][0] for name in ("AAA", "AAB", "AAD")]
        assert charts[0]["indicators"] == charts[2]["indicators"] != charts[1]["indicators"]
        assert get(address, target.format("ABE")).status == 404
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert (process.returncode, out, error) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "x"], "--port"),
        (["--port", "99999"], "port 99999"),
        (["--bogus"], "--bogus"),
        (["--shares", "a b"], "'a b'"),
        (["--shares", ","], "--shares"),
        (["--since", "2020"], "2020"),
        (["--until", "2010-01-01"], "--until 2010-01-01"),
        (["--universe", "0"], "0 shares"),
        (["--universe", "3", "--shares", "AAPL"], "exclude each other"),
        (["--distinct", "3"], "--universe"),
        (["--scenario", "bogus"], "'bogus'"),
        (["--split", "AAPL"], "'AAPL'"),
        (["--split", "AAPL:2020-06-20:2"], "2020-06-20 is no session"),
        (["--dividend", "GOOGL:2020-06-18:2"], "GOOGL"),
        (["--rights", "sh600519:2020-06-18:0.3"], "write it like sh600519:2020-06-18:0.3:12.5"),
        (["--rights", "AAPL:2020-06-18:0.3:12.5"], "AAPL: its sources have no word for a rights issue"),
        (["--rights", "*:2020-06-18:0.3:12.5"], "hk00700: its sources have no word for a rights issue"),
        (
            ["--shares", "600519.SS", "--rights", "600519.SS:2020-06-18:0.3:12.5"],
            "600519.SS: .* rights issue, as on 2020-06-18: only those of names such as sh600519 do",
        ),
        (
            ["--universe", "3", "--exchange", "XNYS", "--distinct", "3", "--rights", "*:2020-06-18:0.3:12.5"],
            "AAA: its sources have no word for a rights issue",
        ),
        (["--shares", "sh000001", "--dividend", "sh000001:2020-06-18:1"], "sh000001: an index has no events"),
        (["--shares", "^GSPC", "--split", "*:2020-06-18:2"], r"\^GSPC: an index has no events, and 2020-06-18"),
        (["--split", "AAPL:2020-06-18:1.0000123"], "Yahoo has no word for the split of 2020-06-18"),
        (["--dividend", "AAPL:2020-06-18:nan"], "a dividend is 0 or more"),
        (["--split", "AAPL:2020-06-18:inf"], "a split's ratio above 0"),
        (["--rights", "*:2020-06-18:0.3:12.5", "--scenario", "reversal"], "--rights and --scenario exclude each other"),
        (["--universe", "3", "--distinct", "2", "--split", "sh600000:2020-06-18:2"], r"write \*"),
        (["--fault", "bogus"], "'bogus'"),
        (["--fault", "slow=a"], "'slow=a'"),
        (["--seed", "-1"], "seed -1"),
    ],
)
def test_a_mistake_is_one_line(capsys, arguments, told):
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert error.startswith("replay server: ")
    assert re.search(told, error)
