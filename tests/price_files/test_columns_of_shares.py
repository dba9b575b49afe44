"""Columns that name shares, and those that do not: codes, words, the sides of a quote, times and zones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing import closes_stored, run, stored
from samples import FIELDS, bars, csv

from components.errors import ImportFileError
from components.price_files import LayoutChoice, import_prices

ONE, TWO = bars(1), bars(2, price=50)
DATES = [str(day) for day in ONE.days]


@pytest.mark.parametrize("name", ["share", "Share", "stock_id"])
def test_a_column_of_shares_goes_by_the_words_that_people_use(tmp_path: Path, name: str) -> None:
    columns = {name: ["AAA"] * 40 + ["BBB"] * 40, "date": DATES * 2, "close": [*ONE.close, *TWO.close]}
    run(tmp_path, csv(columns))
    assert closes_stored(tmp_path) == {"AAA": list(ONE.close), "BBB": list(TWO.close)}


@pytest.mark.parametrize("name", ["equity", "stock-key"])
def test_a_column_of_words_that_is_not_known_is_asked_about(tmp_path: Path, name: str) -> None:
    columns = {name: ["AAA"] * 40 + ["BBB"] * 40, "date": DATES * 2, "close": [*ONE.close, *TWO.close]}
    content = csv(columns)
    with pytest.raises(ImportFileError, match=f"holds words such as AAA: say --column share={name} if"):
        run(tmp_path, content)
    run(tmp_path, content, choice=LayoutChoice(columns={"share": name}))
    assert closes_stored(tmp_path) == {"AAA": list(ONE.close), "BBB": list(TWO.close)}


@pytest.mark.parametrize("fields", [("close",), ("open", "high", "low", "close")])
@pytest.mark.parametrize("parquet", [False, True])
def test_codes_that_went_through_a_column_of_floats_are_shares(
    tmp_path: Path, fields: tuple[str, ...], parquet: bool
) -> None:
    columns = {"date": DATES * 2, "symbol": [600519.0] * len(DATES) + [1.0] * len(DATES)}
    columns |= {field: getattr(ONE, field) + getattr(TWO, field) for field in fields}
    if parquet:
        pq.write_table(pa.table(columns), tmp_path / "in.parquet")
        import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")
    else:
        run(tmp_path, csv(columns))
    assert closes_stored(tmp_path) == {"600519": ONE.close, "1": TWO.close}


def test_the_sides_of_a_quote_are_no_shares(tmp_path: Path) -> None:
    text = csv(
        {
            "Date": DATES,
            **{
                f"{side}{field}": getattr(one, field.lower())
                for side, one in (("Bid", ONE), ("Ask", TWO))
                for field in ("Open", "High", "Low", "Close")
            },
        }
    )
    with pytest.raises(ImportFileError, match="--layout one --column close=BidClose"):
        run(tmp_path, text)
    run(tmp_path, text, choice=LayoutChoice(kind="one", columns={"close": "BidClose"}))
    assert closes_stored(tmp_path) == {"in": ONE.close}


def test_bars_by_the_time_that_they_open(tmp_path: Path) -> None:
    opened = [f"{int(np.datetime64(day, 'ms').astype(int))}" for day in DATES]
    fields = {field: list(getattr(ONE, field)) for field in FIELDS}
    run(tmp_path, csv({"open_time": opened, **fields, "close_time": opened}))
    assert closes_stored(tmp_path) == {"in": ONE.close}


def test_a_line_before_the_header_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="if this line stands before the header, delete it"):
        run(tmp_path, "Export of a vendor\n" + csv({"date": DATES, "close": ONE.close}))


def test_names_of_shares_in_parquet_tell_whose_dates_instants_are(tmp_path: Path) -> None:
    days = [int(np.datetime64(day, "s").astype(int)) - 8 * 3600 for day in DATES]
    columns = {"date": pa.array(days, pa.timestamp("s", "UTC")), "symbol": ["sh600519"] * len(DATES)}
    pq.write_table(pa.table({**columns, "close": ONE.close}), tmp_path / "in.parquet")
    import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")
    assert [row[0] for row in stored(tmp_path, "time")] == DATES
