"""Each format of the table in docs/importing.md is read, from a file that is made of the table's own header."""

from __future__ import annotations

from pathlib import Path

import pytest
from importing import run, stored
from samples import bars, vendor_file

from components.price_files.vendors import VENDORS, Vendor, vendor_of


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_vendors_file_is_read(tmp_path: Path, vendor: Vendor) -> None:
    one = bars()
    report = run(tmp_path, vendor_file(vendor, one), name="AAA.csv")
    assert report.refused == ()
    assert [(share.share_id, share.new) for share in report.shares] == [("AAA", len(one.days))]
    assert stored(tmp_path, "time, close, factor") == [
        (str(day), close, 1.0) for day, close in zip(one.days, one.close, strict=True)
    ]
    volumes = [row[0] for row in stored(tmp_path, "volume")]
    assert volumes in ([volume * vendor.lot for volume in one.volume], [None] * len(one.days))
    if vendor.signature:
        assert f"as {vendor.name} writes it: {vendor.meaning}" in report.notes


def test_each_signature_is_of_its_own_header() -> None:
    for vendor in VENDORS:
        found = vendor_of(vendor.header.split("\n")[0].split(","))
        assert found is (vendor if vendor.signature else None), vendor.name


def test_other_series_of_a_symbol_are_left_out_and_counted(tmp_path: Path) -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.name.startswith("NSE bhavcopy to"))
    one = bars(count=3)
    text = vendor_file(vendor, one)
    bonds = vendor_file(vendor, bars(seed=1, count=3, price=1000)).replace(",EQ,", ",N2,").split("\n", 1)[1]
    report = run(tmp_path, text + bonds)
    assert report.refused == ()
    assert [row[2] for row in stored(tmp_path)] == one.close
    assert "rows left out by SERIES: 3 of N2" in report.notes


def test_a_negative_price_of_crsp_is_the_mean_of_bid_and_ask_and_its_divisor_a_factor(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "PERMNO,date,PRC,VOL,CFACPR\n10001,20220103,-20.5,0,2\n10001,20220104,21,100,2\n10001,20220105,10.6,200,1\n",
    )
    assert report.refused == ()
    assert stored(tmp_path) == [
        *[("10001", "2022-01-03", 20.5, 1.0), ("10001", "2022-01-04", 21.0, 1.0), ("10001", "2022-01-05", 10.6, 2.0)]
    ]


def test_a_divisor_of_zero_is_refused_by_its_row(tmp_path: Path) -> None:
    report = run(tmp_path, "PERMNO,date,PRC,CFACPR\n10001,20220103,20.5,2\n10001,20220104,21,0\n10001,20220105,22,2\n")
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(3, "factor is zero")]
    assert [row[1:] for row in stored(tmp_path)] == [("2022-01-03", 20.5, 1.0), ("2022-01-05", 22.0, 1.0)]


def test_a_price_below_zero_of_anybody_else_is_refused(tmp_path: Path) -> None:
    report = run(tmp_path, "date,symbol,PRC\n2022-01-03,A,-20.5\n2022-01-04,A,21\n")
    assert [refusal.reason for refusal in report.refused] == ["close is below 0"]


def test_days_without_trade_of_baostock_are_left_out(tmp_path: Path) -> None:
    lines = ["2022-01-03,20,3,1", "2022-01-04,20,3,0", "2022-01-05,21,3,1"]
    text = "date,code,close,adjustflag,tradestatus\n" + "\n".join(line.replace(",", ",sh.1,", 1) for line in lines)
    report = run(tmp_path, text)
    assert [row[1:3] for row in stored(tmp_path)] == [("2022-01-03", 20.0), ("2022-01-05", 21.0)]
    assert "rows left out by tradestatus: 1 of 0" in report.notes
