"""Types that writers of Parquet use for dates, names and numbers: read, or refused by the name of the column."""

from __future__ import annotations

import base64
import datetime as dt
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing import stored

from components.errors import ImportFileError
from components.price_files import LayoutChoice, import_prices
from components.price_files.vendors import VENDORS

DATES = [dt.date(2024, 1, 2), dt.date(2024, 1, 3), dt.date(2024, 1, 4)]
NAMES = ["A", "B", "A"]
CLOSES = [38.23, 0.1, 7.0]
WRITTEN_SINCE = {"halffloat": 15, "string_view": 21, "binary_view": 21}
RIGHT = [("A", "2024-01-02", 38.23), ("A", "2024-01-04", 7.0), ("B", "2024-01-03", 0.1)]


def write(tmp_path: Path, **columns: pa.Array) -> Path:
    good = {"date": pa.array(DATES), "symbol": pa.array(NAMES), "close": pa.array(CLOSES)}
    for column in columns.values():
        since = WRITTEN_SINCE.get(str(column.type), 0)
        if int(pa.__version__.split(".")[0]) < since:
            pytest.skip(f"pyarrow writes {column.type} from version {since} on")
    pq.write_table(pa.table({**good, **columns}), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def as_views(path: Path, texts: int) -> Path:
    """Makes the texts of a file string_view, as DataFusion writes them: in Arrow's schema the type 5 becomes 24."""
    data = path.read_bytes()
    [text] = re.findall(rb"ARROW:schema[^A-Za-z0-9+/]{1,8}([A-Za-z0-9+/]{32,}={0,2})", data)
    schema = base64.b64decode(text)
    assert schema.count(b"\0\0\1\5\x10\0") == texts
    views = base64.b64encode(schema.replace(b"\0\0\1\5\x10\0", b"\0\0\1\x18\x10\0"))
    path.write_bytes(data.replace(text, views))
    return path


def spoil(path: Path, column: str) -> Path:
    """Overwrites the pages of a column."""
    row_group = pq.read_metadata(path).row_group(0)
    every = [row_group.column(index) for index in range(row_group.num_columns)]
    [chunk] = [one for one in every if one.path_in_schema == column]
    begin = chunk.dictionary_page_offset or chunk.data_page_offset
    data = path.read_bytes()
    path.write_bytes(data[:begin] + b"\xff" * chunk.total_compressed_size + data[begin + chunk.total_compressed_size :])
    return path


def taken(tmp_path: Path, path: Path) -> list[tuple]:
    assert import_prices(path, tmp_path / "awesome.db").refused == ()
    return stored(tmp_path, "share_id, time, close")


TEXTS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(1)]
TEXTS += [getattr(pa, name)() for name in ("string_view", "binary_view") if hasattr(pa, name)]
INDICES = [pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_names_in_all_types_of_texts(tmp_path: Path, kind: pa.DataType) -> None:
    symbol = pa.array([name.encode() if "binary" in str(kind) else name for name in NAMES], kind)
    assert taken(tmp_path, write(tmp_path, symbol=symbol)) == RIGHT


@pytest.mark.parametrize("kind", INDICES, ids=str)
@pytest.mark.parametrize("ordered", [False, True])
def test_categories_with_indices_of_any_type(tmp_path: Path, kind: pa.DataType, ordered: bool) -> None:
    """As Categorical and Enum of Polars, whose indices have no sign; in the columns of dates and of names."""

    def encoded(values: list[str]) -> pa.Array:
        distinct = sorted(set(values))
        indices = pa.array([distinct.index(value) for value in values], kind)
        return pa.DictionaryArray.from_arrays(indices, pa.array(distinct), ordered=ordered)

    path = write(tmp_path, symbol=encoded(NAMES), date=encoded([str(day) for day in DATES]))
    assert taken(tmp_path, path) == RIGHT


@pytest.mark.parametrize("kind", INDICES, ids=str)
def test_missing_cells_of_a_category(tmp_path: Path, kind: pa.DataType) -> None:
    symbol = pa.DictionaryArray.from_arrays(pa.array([0, None, 0], kind), pa.array(["A"]))
    report = import_prices(write(tmp_path, symbol=symbol), tmp_path / "awesome.db")
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(2, "share_id is empty")]
    assert stored(tmp_path, "share_id, time, close") == RIGHT[:2]


@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_dates_and_numbers_in_all_types_of_texts(tmp_path: Path, kind: pa.DataType) -> None:
    if kind == pa.binary(1):
        kind = pa.binary(10)
    dates, closes = [str(day) for day in DATES], [f"{close:010.2f}" for close in CLOSES]
    as_bytes = "binary" in str(kind)
    path = write(
        tmp_path,
        date=pa.array([text.encode() if as_bytes else text for text in dates], kind),
        close=pa.array([text.encode() if as_bytes else text for text in closes], kind),
    )
    assert taken(tmp_path, path) == RIGHT


def test_a_schema_of_arrow_that_this_version_does_not_know(tmp_path: Path) -> None:
    """As string_view before version 16."""
    path = as_views(write(tmp_path, date=pa.array([str(day) for day in DATES])), 2)
    assert taken(tmp_path, path) == RIGHT


def test_views_of_which_some_rows_are_taken(tmp_path: Path) -> None:
    """Arrow takes no rows of a view by their positions."""
    [vendor] = [one for one in VENDORS if one.header.startswith("SYMBOL,SERIES,OPEN")]
    columns = {name: pa.array(CLOSES) for name in vendor.header.split(",")}
    columns |= {"SYMBOL": pa.array(NAMES), "SERIES": pa.array(["EQ", "N1", "EQ"]), "TIMESTAMP": pa.array(DATES)}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    assert taken(tmp_path, as_views(tmp_path / "in.parquet", 2)) == RIGHT[:2]


@pytest.mark.parametrize(
    "kind",
    [pa.decimal128(10, 2), pa.decimal256(40, 2), pa.float64()]
    if not hasattr(pa, "decimal32")
    else [pa.decimal32(9, 2), pa.decimal64(12, 2), pa.decimal128(10, 2), pa.decimal256(40, 2)],
    ids=str,
)
def test_decimals_are_read_to_the_last_digit(tmp_path: Path, kind: pa.DataType) -> None:
    import decimal

    close = pa.array([decimal.Decimal(str(close)) for close in CLOSES]) if "decimal" in str(kind) else pa.array(CLOSES)
    assert taken(tmp_path, write(tmp_path, close=close.cast(kind))) == RIGHT


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_days_as_timestamps_of_any_unit(tmp_path: Path, unit: str) -> None:
    date = pa.array(DATES).cast(pa.timestamp(unit))
    assert taken(tmp_path, write(tmp_path, date=date)) == RIGHT


def test_whole_numbers_in_a_column_of_floats_are_dates(tmp_path: Path) -> None:
    date = pa.array([20240102.0, 20240103.0, 20240104.0])
    assert taken(tmp_path, write(tmp_path, date=date)) == RIGHT


def test_columns_that_mean_nothing_may_hold_anything(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        tags=pa.array([["a"], [], None]),
        more=pa.array([{"x": 1}] * 3),
        none=pa.nulls(3),
        length=pa.array([1, 2, 3], pa.duration("s")),
        flag=pa.array([True, False, None]),
    )
    assert taken(tmp_path, path) == RIGHT


def test_a_column_that_means_nothing_may_be_unreadable(tmp_path: Path) -> None:
    path = spoil(write(tmp_path, more=pa.array(["x", "y", "z"])), "more")
    assert taken(tmp_path, path) == RIGHT


@pytest.mark.parametrize("column", ["date", "symbol", "close"])
def test_a_damaged_column_is_one_line(tmp_path: Path, column: str) -> None:
    with pytest.raises(ImportFileError, match=r"in\.parquet: the Parquet file cannot be read: ") as caught:
        import_prices(spoil(write(tmp_path), column), tmp_path / "awesome.db")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "awesome.db").exists()


@pytest.mark.parametrize(
    ("column", "values", "instead"),
    [
        ("close", pa.array([[1.0]] * 3), "double"),
        ("close", pa.array([{"value": 1.0}] * 3), "double"),
        ("close", pa.array([True] * 3), "double"),
        ("close", pa.array([1, 2, 3], pa.duration("s")), "double"),
        ("close", pa.array(DATES), "double"),
        ("date", pa.array([1.5] * 3), "date32"),
        ("date", pa.array([1, 2, 3], pa.duration("s")), "date32"),
        ("date", pa.array([1, 2, 3], pa.time32("s")), "date32"),
        ("date", pa.array([[1]] * 3), "date32"),
        ("date", pa.array([True] * 3), "date32"),
        ("symbol", pa.array([["A"]] * 3), "string"),
        ("symbol", pa.array([b"\xff\xfe"] * 3), "string"),
        ("symbol", pa.array(DATES), "string"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else value,
)
def test_what_cannot_be_read_is_named_with_what_to_write(
    tmp_path: Path, column: str, values: pa.Array, instead: str
) -> None:
    with pytest.raises(ImportFileError) as caught:
        import_prices(write(tmp_path, **{column: values}), tmp_path / "awesome.db")
    message = str(caught.value)
    assert f"the column {column} holds " in message
    assert f"write the column {column} as {instead}" in message
    assert "\n" not in message
    assert not (tmp_path / "awesome.db").exists()


def test_three_digits_are_no_price(tmp_path: Path) -> None:
    path = write(tmp_path, close=pa.array(np.array([100.37, 101.12, 99.5], np.float16)))
    with pytest.raises(ImportFileError, match="the column close holds halffloat, whose three digits are too few"):
        import_prices(path, tmp_path / "awesome.db")


def test_a_name_with_a_dot_is_no_part_of_another_column(tmp_path: Path) -> None:
    path = write(tmp_path, **{"last": pa.array([{"x": 9.0}] * 3), "last.x": pa.array(CLOSES), "close": pa.nulls(3)})
    report = import_prices(path, tmp_path / "awesome.db", choice=LayoutChoice(columns={"close": "last.x"}))
    assert (report.refused, stored(tmp_path, "share_id, time, close")) == ((), RIGHT)


def test_a_column_twice_is_named(tmp_path: Path) -> None:
    columns = [pa.array(DATES), pa.array(NAMES), pa.array(CLOSES), pa.array(CLOSES)]
    table = pa.Table.from_arrays(columns, ["date", "symbol", "a", "a"])
    pq.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(ImportFileError, match="the column a is there twice"):
        import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")
