"""Whatever is wrong with a panel is named, with the file, the share and the day, by readers and by the look at all."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from panels import file_of, forge, said, small_panel, write, write_database

from components.errors import PanelError
from components.price_panel.manifest import MANIFEST
from components.price_panel.opening import open_prices
from components.price_panel.store import PanelStore
from components.price_panel.verifying import verify_panel


def changed(panel: Path, column: str, change: Callable[[pa.Array], pa.Array], at: int = 0) -> None:
    table = pq.read_table(file_of(panel, at))
    place = table.schema.get_field_index(column)
    forge(panel, table.set_column(place, column, change(table[column])), at)


def refused(panel: Path) -> str:
    """What a reader says of a panel, in one line, which the look at all says too."""
    with pytest.raises(PanelError) as caught, open_prices(panel, check=True) as store:
        store.digest()
    text = str(caught.value)
    assert "\n" not in text
    assert verify_panel(panel).faults
    return text


def test_a_whole_panel_has_no_faults(tmp_path: Path) -> None:
    panel = small_panel(tmp_path, file_rows=50)
    write(panel, write_database(tmp_path / "prices.db", 45))
    found = verify_panel(panel)
    assert (found.faults, found.strays) == ((), ())
    assert found.manifest.rows == 3 * 45


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    panel = small_panel(tmp_path, file_rows=50)
    gone = file_of(panel, 1)
    gone.unlink()
    assert f"{gone} is missing, and the panel's manifest names it" in refused(panel)


def test_a_file_of_another_size(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    file = file_of(panel)
    size = file.stat().st_size
    file.write_bytes(file.read_bytes() + b"0")
    assert f"{file} has {size + 1:,} bytes, and its manifest says {size:,}" in refused(panel)


def test_a_file_of_another_content(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    content = bytearray(file_of(panel).read_bytes())
    content[50] ^= 1
    file_of(panel).write_bytes(content)
    assert f"{file_of(panel)} has another sha256 than the panel's manifest says" in refused(panel)
    assert any("sha256 is" in fault for fault in verify_panel(panel).faults)


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    forge(panel, pq.read_table(file_of(panel)))
    file = file_of(panel)
    file.write_bytes(b"x" * file.stat().st_size)
    with PanelStore.open(panel) as store, pytest.raises(PanelError, match=f"{file} is no Parquet file"):
        store.shares()


def test_rows_that_are_not_in_order(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    table = pq.read_table(file_of(panel))
    forge(panel, table.take([1, 0, *range(2, len(table))]))
    assert "share 000001, 2020-01-01: is not in order, or is there twice" in refused(panel)


def test_another_schema(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    table = pq.read_table(file_of(panel))
    forge(panel, table.drop(["factor"]))
    assert "has no column factor" in refused(panel)


@pytest.mark.parametrize(("column", "kind"), [("close", pa.float32()), ("time", pa.timestamp("us"))])
def test_another_type(tmp_path: Path, column: str, kind: pa.DataType) -> None:
    panel = small_panel(tmp_path)
    changed(panel, column, lambda values: values.cast(kind))
    assert f"the column {column} holds {kind}, not" in refused(panel)


def test_a_share_that_became_a_number(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    changed(panel, "share_id", lambda values: pa.array([1] * len(values)))
    assert "the column share_id holds int64, not string" in refused(panel)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_close_that_is_none(tmp_path: Path, value: float) -> None:
    panel = small_panel(tmp_path)
    changed(panel, "close", lambda values: pa.array([*values.to_pylist()[:-1], value]))
    assert f"share IBM, 2020-02-09: close {value} is none that a price can have" in refused(panel)


def test_one_day_of_a_share_in_two_files(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    write(panel, write_database(tmp_path / "prices.db", 41))
    days = pa.array([dt.date(2020, 2, 10), dt.date(2020, 1, 5), dt.date(2020, 2, 10)])
    changed(panel, "time", lambda _: days, at=1)
    one, two = file_of(panel, 0).name, file_of(panel, 1).name
    assert f"share 000002, 2020-01-05: stands in {one} and in {two}" in refused(panel)


def test_fewer_rows_replaced_than_the_manifest_says(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    write(panel, write_database(tmp_path / "prices.db", 41))
    files = json.loads((panel / MANIFEST).read_text())["files"]
    files[1]["replaces"] = 2
    said(panel, files=files)
    assert "hold 123 prices" in " ".join(verify_panel(panel).faults)


def test_counts_that_are_not_those_of_the_file(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    table = pq.read_table(file_of(panel))
    forge(panel, table.slice(0, len(table) - 1))
    faults = verify_panel(panel).faults
    assert [fault.partition(": ")[2] for fault in faults] == ["rows is 119, its manifest says 120"]


def test_a_file_that_no_manifest_names_is_told(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    (panel / "prices-000009-0123456789ab.parquet").write_bytes(b"half")
    assert verify_panel(panel).strays == ("prices-000009-0123456789ab.parquet",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"format": 2}, "has format 2, and this version of awesome reads 1; upgrade it"),
        ({"format": "1"}, "has format '1'"),
        ({"kind": "model"}, "is no manifest of a panel; name another folder"),
        ({"files": [{"path": "x"}]}, "is no whole manifest"),
        ({"exchanges": {"IBM": ""}}, "says of a share what cannot be"),
        ({"members": [{"share_id": "IBM", "first": "2020-02-01", "last": "2020-01-01"}]}, "is no whole manifest"),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path: Path, content: dict[str, object], why: str) -> None:
    panel = small_panel(tmp_path)
    said(panel, **content)
    with pytest.raises(PanelError, match=r"panel\.json: ") as caught:
        PanelStore.open(panel)
    assert why in str(caught.value)


@pytest.mark.parametrize("path", ["../prices.parquet", "/etc/passwd", "prices-000000-ce8973151714.parquet.exe"])
def test_a_manifest_that_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    panel = small_panel(tmp_path)
    files = json.loads((panel / MANIFEST).read_text())["files"]
    said(panel, files=[files[0] | {"path": path}])
    with pytest.raises(PanelError, match="that cannot be, or twice"):
        PanelStore.open(panel)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}'])
def test_a_manifest_that_is_none(tmp_path: Path, content: str) -> None:
    panel = small_panel(tmp_path)
    (panel / MANIFEST).write_text(content)
    with pytest.raises(PanelError, match="is no manifest of a panel"):
        PanelStore.open(panel)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match=r"nowhere does not exist; write one: awesome panel write"):
        PanelStore.open(tmp_path / "nowhere")
