"""Which column means what: names of fields are never shares, and what can be read in two ways is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing import closes_stored, run, stored
from samples import FIELDS, Bars, bars, csv

from components.errors import ImportFileError
from components.price_files import LayoutChoice, import_prices

ONE, TWO, THREE = bars(1), bars(2, price=50), bars(3, price=7)
DATES = [str(day) for day in ONE.days]


def of(one: Bars, name: str = "{field}", title: bool = True) -> dict[str, list[object]]:
    """Returns a share's columns, each called as `name` says."""
    return {name.format(field=field.title() if title else field): list(getattr(one, field)) for field in FIELDS}


def shares_of(name: str, title: bool = True) -> dict[str, list[object]]:
    """Returns the columns of AAA and BRK-B, each called as `name` says."""
    return {
        column: cells
        for share, one in (("AAA", ONE), ("BRK-B", TWO))
        for column, cells in of(one, name.replace("SHARE", share), title).items()
    }


# --- one share


@pytest.mark.parametrize(
    ("close", "others"),
    [
        ("Close", {}),
        ("Last", {"Open Interest": [7] * 40, "Change": [0.1] * 40}),
        ("Price", {"Change %": ["0.1%"] * 40}),
        ("Settle", {"Prev. Day Open Interest": [7] * 40}),
        ("Close/Last", {}),
        ("Close", {"dn": TWO.low, "mavg": TWO.close, "up": TWO.high, "my own": THREE.close, "RSI_14": THREE.close}),
        ("close*", {"Adj Close**": ONE.close}),
        ("Zamkniecie", {}),
        ("종가", {}),
    ],
)
def test_a_file_of_one_share_is_named_after_the_file(
    tmp_path: Path, close: str, others: dict[str, list[object]]
) -> None:
    columns = {"Date": DATES, **of(ONE), **others}
    text = csv({close if name == "Close" else name: cells for name, cells in columns.items()})
    report = run(tmp_path, text, name="ES.csv")
    assert report.refused == ()
    assert closes_stored(tmp_path) == {"ES": ONE.close}
    assert report.notes[0].startswith(
        "one share, ES (after the file's name; --share NAME gives another): dates in 'Date'"
    )
    assert stored(tmp_path, "open, high, low, volume") == list(
        zip(ONE.open, ONE.high, ONE.low, ONE.volume, strict=True)
    )


def test_the_user_names_the_only_share(tmp_path: Path) -> None:
    report = run(tmp_path, csv({"Date": DATES, **of(ONE)}), choice=LayoutChoice(share="AAPL"))
    assert list(closes_stored(tmp_path)) == ["AAPL"]
    assert report.notes[0].startswith("one share, AAPL: ")


def test_of_last_and_settle_the_one_that_is_chosen_is_the_close(tmp_path: Path) -> None:
    settle = [round(close + 0.01, 2) for close in ONE.close]
    columns = {"Date": DATES, **of(ONE), "Settle": settle}
    columns["Last"] = columns.pop("Close")
    text = csv(columns)
    with pytest.raises(ImportFileError, match=r"row 2: the columns Settle and Last can each be the close and differ"):
        run(tmp_path, text)
    run(tmp_path, text, choice=LayoutChoice(columns={"close": "Settle"}))
    assert closes_stored(tmp_path) == {"in": settle}


def test_of_last_and_settle_that_agree_either_is_the_close(tmp_path: Path) -> None:
    columns = {"Date": DATES, **of(ONE), "Settle": ONE.close}
    columns["Last"] = columns.pop("Close")
    assert run(tmp_path, csv(columns)).refused == ()
    assert closes_stored(tmp_path) == {"in": ONE.close}


def test_a_column_called_close_is_the_close_beside_last(tmp_path: Path) -> None:
    run(tmp_path, csv({"Date": DATES, **of(ONE), "Last": TWO.close}))
    assert closes_stored(tmp_path) == {"in": ONE.close}


def test_columns_can_be_named_in_any_language(tmp_path: Path) -> None:
    text = csv({"Kuupäev": DATES, "Avamine": ONE.open, "Kõrgeim": ONE.high, "Madalaim": ONE.low, "Lõpp": ONE.close})
    with pytest.raises(ImportFileError, match=r"Kõrgeim is the highest and Madalaim the lowest .* --layout wide"):
        run(tmp_path, text)
    run(tmp_path, text, choice=LayoutChoice(columns={"high": "Kõrgeim", "close": "Lõpp"}))
    assert closes_stored(tmp_path) == {"in": ONE.close}


def test_a_column_may_be_left_out(tmp_path: Path) -> None:
    text = csv({"Date": DATES, "Name": ["Apple"] * 40, **of(ONE), "factor": [1] * 40, "adj_close": ONE.close})
    with pytest.raises(ImportFileError, match="both factor and adj_close"):
        run(tmp_path, text)
    run(tmp_path, text, choice=LayoutChoice(share="AAPL", columns={"factor": "", "share": ""}))
    assert closes_stored(tmp_path) == {"AAPL": ONE.close}


# --- fields of shares


@pytest.mark.parametrize("separator", ["_", ".", " ", "-", "|", "/", ":", " - ", ""])
@pytest.mark.parametrize("title", [True, False])
def test_fields_of_shares_in_columns(tmp_path: Path, separator: str, title: bool) -> None:
    for name in (f"SHARE{separator}{{field}}", f"{{field}}{separator}SHARE"):
        report = run(tmp_path, csv({"Date": DATES, **shares_of(name, title)}))
        assert report.refused == ()
        assert closes_stored(tmp_path) == {"AAA": ONE.close, "BRK-B": TWO.close}
        assert stored(tmp_path, "open, volume")[:40] == list(zip(ONE.open, ONE.volume, strict=True))


@pytest.mark.parametrize("name", ["('{field}', 'SHARE')", "('SHARE', '{field}')"])
def test_two_rows_of_a_header_as_parquet_has_them(tmp_path: Path, name: str) -> None:
    columns = {"Date": list(ONE.days), **shares_of(name)}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    assert import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db").refused == ()
    assert closes_stored(tmp_path) == {"AAA": ONE.close, "BRK-B": TWO.close}


@pytest.mark.parametrize("by_ticker", [False, True])
@pytest.mark.parametrize("index_name", ["Date", ""])
def test_two_rows_of_a_header_as_csv_has_them(tmp_path: Path, by_ticker: bool, index_name: str) -> None:
    fields = [field.title() for field in FIELDS] * 2
    shares = ["600519"] * 5 + ["LOW"] * 5
    rows = [["Ticker", *shares], ["Price", *fields]] if by_ticker else [["Price", *fields], ["Ticker", *shares]]
    if index_name:
        rows.append([index_name, *[""] * 10])
    cells = [DATES, *(list(getattr(one, field)) for one in (ONE, TWO) for field in FIELDS)]
    text = "\n".join(",".join(map(str, row)) for row in [*rows, *zip(*cells, strict=True)])
    report = run(tmp_path, text + "\nsoon,,,,,,,,,,\n")
    assert [(refusal.row, refusal.time) for refusal in report.refused] == [(41 + len(rows), "soon")]
    assert closes_stored(tmp_path) == {"600519": ONE.close, "LOW": TWO.close}


@pytest.mark.parametrize(
    ("header", "numbered"),
    [
        (["Date,Close,Close.1", ",AAA,LOW"], False),  # without the index's name
        (["Price,Close,Close.1", "Ticker,AAA,LOW", "Date,,"], False),  # read and written again
        ([",Price,Close,Close.1", "0,Ticker,AAA,LOW", "1,Date,,"], True),
        (["Price,Date,Close,Close", "Ticker,,AAA,LOW"], True),  # the index made a column
        ([",Close,Close", ",AAA,LOW"], False),
        (["Ticker,AAA,LOW", "Price,Close,Close", "Date,,"], False),
    ],
)
def test_two_rows_of_a_header_in_other_hands(tmp_path: Path, header: list[str], numbered: bool) -> None:
    rows = [",".join(map(str, row)) for row in zip(DATES, ONE.close, TWO.close, strict=True)]
    rows = [f"{number},{row}" for number, row in enumerate(rows)] if numbered else rows
    report = run(tmp_path, "\n".join([*header, *rows]))
    assert report.refused == ()
    assert closes_stored(tmp_path) == {"AAA": ONE.close, "LOW": TWO.close}


@pytest.mark.parametrize("by_ticker", [False, True])
def test_shares_that_are_all_called_like_fields(tmp_path: Path, by_ticker: bool) -> None:
    shares, fields = ["LOW", "LOW", "OPEN", "OPEN"], ["Close", "Open", "Close", "Open"]
    rows = [["Ticker", *shares], ["Price", *fields], ["Date", *[""] * 4]]
    rows = rows if by_ticker else [rows[1], rows[0], rows[2]]
    cells = zip(DATES, ONE.close, ONE.open, TWO.close, TWO.open, strict=True)
    assert run(tmp_path, "\n".join(",".join(map(str, row)) for row in [*rows, *cells])).refused == ()
    assert closes_stored(tmp_path) == {"LOW": ONE.close, "OPEN": TWO.close}


def test_indicators_beside_fields_of_a_share_are_left_out(tmp_path: Path) -> None:
    columns = {"Date": DATES, **of(ONE, "AAPL.{field}"), "AAPL.Adjusted": ONE.close}
    columns |= {"dn": TWO.low, "mavg": TWO.close, "up": TWO.high, "direction": ["Increasing"] * 40}
    report = run(tmp_path, csv(columns))
    assert closes_stored(tmp_path) == {"AAPL": ONE.close}
    assert report.ignored_columns == ("dn", "mavg", "up", "direction")


def test_a_share_that_was_listed_later_has_no_fields_before(tmp_path: Path) -> None:
    columns = {"Date": DATES, **shares_of("SHARE {field}")}
    for field in ("Open", "High", "Low", "Close", "Volume"):
        columns[f"BRK-B {field}"] = ["", "", *columns[f"BRK-B {field}"][2:]]
    columns["AAA Close"] = [*columns["AAA Close"][:5], "", *columns["AAA Close"][6:]]
    report = run(tmp_path, csv(columns))
    assert [(refusal.share_id, refusal.time, refusal.reason) for refusal in report.refused] == [
        ("AAA", DATES[5], "close is missing")
    ]
    assert closes_stored(tmp_path)["BRK-B"] == TWO.close[2:]


def test_only_closes_of_shares_in_columns_with_a_word(tmp_path: Path) -> None:
    run(tmp_path, csv({"Date": DATES, "AAA Adj Close": ONE.close, "LOW Adj Close": TWO.close}))
    assert closes_stored(tmp_path) == {"AAA": ONE.close, "LOW": TWO.close}


# --- shares that are called like fields


def test_shares_with_names_of_fields_among_many_are_shares(tmp_path: Path) -> None:
    many = {f"S{number}": bars(10 + number, price=20 + 9 * number).close for number in range(8)}
    columns = {"Date": DATES, **many, "LOW": TWO.close, "CODE": THREE.close, "DAY": bars(4, price=300).close}
    report = run(tmp_path, csv(columns))
    assert set(closes_stored(tmp_path)) == {*many, "LOW", "CODE", "DAY"}
    assert report.notes[1] == "taken as shares, as they stand among others: LOW (--layout one, if they are fields)"


def test_among_very_many_shares_prices_that_are_alike_say_nothing(tmp_path: Path) -> None:
    many = {f"S{number}": bars(10 + number).close for number in range(40)}
    run(tmp_path, csv({"Date": DATES, **many, "LOW": ONE.close, "OPEN": bars(3).close}))
    assert len(closes_stored(tmp_path)) == 42


def test_shares_called_low_open_and_last_are_no_bar(tmp_path: Path) -> None:
    many = {f"S{number}": bars(10 + number).close for number in range(70)}
    run(tmp_path, csv({"Date": DATES, **many, "LOW": THREE.close, "OPEN": TWO.close, "LAST": ONE.close}))
    assert len(closes_stored(tmp_path)) == 73


def test_features_beside_a_close_are_no_shares(tmp_path: Path) -> None:
    features = {f"f{number}": bars(10 + number).close for number in range(110)}
    for columns in ({"close": ONE.close}, {"close": ONE.close, "open": ONE.open}):
        with pytest.raises(ImportFileError, match="two ways"):
            run(tmp_path, csv({"date": DATES, **columns, **features}))
    run(tmp_path, csv({"date": DATES, **of(ONE, title=False), **features}))
    assert closes_stored(tmp_path) == {"in": ONE.close}


@pytest.mark.parametrize(
    "columns",
    [
        {"Open": ONE.open, "AAPL": ONE.close},
        {"AAPL": ONE.close, "LOW": ONE.low},
        {"AAPL": ONE.close, "MSFT": TWO.close, "IBM": THREE.close, "GE": TWO.open, "Volume": ONE.volume},
        {"SPY": TWO.close, "OPEN": ONE.open, "LOW": ONE.low, "HIGH": ONE.high},
        {"Close": ONE.close, "SPY": TWO.close},
    ],
)
def test_what_can_be_shares_or_fields_is_refused_with_the_flag_that_decides(
    tmp_path: Path, columns: dict[str, list[object]]
) -> None:
    text = csv({"Date": DATES, **columns})
    with pytest.raises(
        ImportFileError, match=r"(two ways: say --layout one .*|--column close=NAME), or .*--layout wide"
    ):
        run(tmp_path, text)
    assert not (tmp_path / "awesome.db").exists()
    run(tmp_path, text, choice=LayoutChoice(kind="wide"))
    assert set(closes_stored(tmp_path)) == set(columns)


@pytest.mark.parametrize(
    "names",
    [("AAPL.US", "LOW.US", "OPEN.US"), ("PLOW", "GLOW", "FLOW"), ("C", "L", "H"), ("Open Text", "Apple", "IBM", "GE")],
)
def test_names_of_shares_that_hold_names_of_fields(tmp_path: Path, names: tuple[str, ...]) -> None:
    others = {
        f"{name}": bars(20 + at, price=11.0 * 2**at).close for at, name in enumerate(("SAP.DE", "BMW", "KO.US", "F"))
    }
    closes = {name: bars(at, price=9.0 * 3**at).close for at, name in enumerate(names)}
    run(tmp_path, csv({"Date": DATES, **closes, **others}))
    assert closes_stored(tmp_path) == {**closes, **others}


def test_columns_of_no_share_are_no_closes(tmp_path: Path) -> None:
    for columns in (
        {"Market Cap": ONE.close},
        {"dn": ONE.low, "mavg": ONE.close, "up": ONE.high},
        {"Open": ONE.open, "High": ONE.high},
    ):
        with pytest.raises(ImportFileError, match="there is no column of closes"):
            run(tmp_path, csv({"Date": DATES, **columns}))


def test_returns_are_no_closes(tmp_path: Path) -> None:
    returns = [round(after / before - 1, 6) for before, after in zip(ONE.close, ONE.close[1:], strict=False)]
    with pytest.raises(
        ImportFileError, match=r"many numbers are below 0, such as -0\.\d+ of A: .* returns; give prices"
    ):
        run(tmp_path, csv({"Date": DATES[1:], "A": returns, "B": returns}))


# --- dates


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "Tag", "交易日期", "<DATE>", "timestamp", "datetime"])
def test_the_column_of_dates(tmp_path: Path, name: str) -> None:
    run(tmp_path, csv({name: DATES, "A": ONE.close, "B": TWO.close}))
    assert closes_stored(tmp_path) == {"A": ONE.close, "B": TWO.close}


def test_an_index_without_a_name_as_parquet_has_it(tmp_path: Path) -> None:
    pq.write_table(pa.table({"A": ONE.close, "B": TWO.close, "__index_level_0__": ONE.days}), tmp_path / "in.parquet")
    import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")
    assert closes_stored(tmp_path) == {"A": ONE.close, "B": TWO.close}


def test_numbers_of_rows_are_no_share(tmp_path: Path) -> None:
    run(tmp_path, csv({"": list(range(40)), "Date": DATES, "A": ONE.close}))
    assert closes_stored(tmp_path) == {"A": ONE.close}


def test_a_date_counts_before_a_time_of_day(tmp_path: Path) -> None:
    run(tmp_path, csv({"time": ["16:00"] * 40, "date": DATES, **of(ONE)}))
    assert stored(tmp_path, "time")[0] == (DATES[0],)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2022-01-03,1,2\n2022-01-04,1,2\n", "the file has no header; add one"),
        ("ticker,2022-01-03,2022-01-04\nA,1,2\n", "the dates stand in the header; turn the table round"),
        (
            "from,to,A\n2022-01-03,2022-01-04,1\n",
            "the columns 'from' and 'to' hold dates; choose with --column time=from",
        ),
        (
            "date,symbol,ticker,close\n2022-01-03,A,A,1\n",
            "mean the same; keep one of them, or choose with --column share=",
        ),
        ("date,symbol,field,value\n2022-01-03,A,close,1\n", "there is no column close"),
    ],
)
def test_headers_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        run(tmp_path, text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"kind": "tall"}, "--layout tall is unknown; choose one of long, one, wide, fields"),
        ({"prices": "split"}, "--prices split is unknown; choose raw or adjusted"),
        ({"share": " "}, "--share ' ' is not a usable name"),
        ({"columns": {"price": "x"}}, "--column price=...: price is unknown; choose one of time, share, open"),
        ({"columns": {"close": "Shut"}}, "--column close=Shut: the column Shut is not there"),
    ],
)
def test_choices_that_make_no_sense(tmp_path: Path, choice: dict[str, object], message: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        run(tmp_path, csv({"Date": DATES, **of(ONE)}), choice=LayoutChoice(**choice))
    assert message in str(caught.value)


def test_of_last_and_settle_of_shares_the_field_is_chosen_for_all(tmp_path: Path) -> None:
    columns = {"Date": DATES}
    for share, one in (("AAA", ONE), ("BBB", TWO)):
        columns |= {f"{share}_Last": one.close, f"{share}_Settle": one.open}
    text = csv(columns)
    with pytest.raises(ImportFileError, match="choose with --column close=Last or close=Settle"):
        run(tmp_path, text)
    run(tmp_path, text, choice=LayoutChoice(columns={"close": "Settle"}))
    assert closes_stored(tmp_path) == {"AAA": ONE.open, "BBB": TWO.open}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"close": ONE.close, "Close.1": TWO.close}, "the columns close and Close.1 mean the same"),
        ({"('Close', 'A', 'x')": ONE.close}, "do not say which one has the fields"),
        ({"前复权收盘价": ONE.close, "后复权收盘价": ONE.close, "收盘": ONE.close}, "mean the same"),
    ],
)
def test_columns_that_are_there_twice(tmp_path: Path, columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ImportFileError, match=message):
        run(tmp_path, csv({"Date": DATES, **{f'"{name}"': cells for name, cells in columns.items()}}))
