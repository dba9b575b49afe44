"""Files of forecasts as people have them, and what is said of those that are none."""

from __future__ import annotations

import datetime as dt
import gzip
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.errors import UserError
from components.judging.forecast_columns import ColumnChoice
from components.judging.forecast_file import read_forecasts
from components.judging.forecasts import Sieve
from components.price_files import forms_from

TODAY = dt.date(2024, 3, 1)
PLAIN = "time,share_id,probability\n2024-01-02,AAA,0.51\n2024-01-03,AAA,0.49\n2024-01-02,BBB,0.5\n"


def read(path: Path, text: str | None = None, choice: ColumnChoice | None = None, **forms: str) -> Sieve:
    if text is not None:
        path.write_text(text)
    return read_forecasts(path, choice, forms_from(**forms), today=TODAY)


def rows(sieve: Sieve) -> list[tuple[str, str, dict[str, float]]]:
    """Day, share and values of all that is kept."""
    given = sieve.forecasts
    return [
        (
            str(np.datetime64(int(given.days[at]), "D")),
            given.names[given.share[at]],
            {name: float(values[at]) for name, values in given.values.items()},
        )
        for at in np.flatnonzero(sieve.kept)
    ]


EXPECTED = [
    ("2024-01-02", "AAA", {"probability": 0.51}),
    ("2024-01-03", "AAA", {"probability": 0.49}),
    ("2024-01-02", "BBB", {"probability": 0.5}),
]


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    sieve = read(tmp_path / "p.csv", PLAIN)
    assert rows(sieve) == EXPECTED
    assert sieve.forecasts.scores == frozenset()
    assert sieve.forecasts.rows.tolist() == [2, 3, 4]
    assert sieve.left_out == []


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("-", ""),  # 20240102
        PLAIN.replace("time,share_id", "datetime,instrument"),
        PLAIN.replace(",", ";").replace("0.", "0,"),
        PLAIN.replace("time", ""),  # an index without a name
        "\n".join(f"{at},{line}" if at else f",{line}" for at, line in enumerate(PLAIN.strip().split("\n"))),
        "".join(f"{line},{end}\n" for line, end in zip(PLAIN.split(), ["note", "x", "y", "z"], strict=True)),
    ],
)
def test_a_file_may_be_written_in_many_ways(tmp_path: Path, text: str) -> None:
    assert rows(read(tmp_path / "p.csv", text)) == EXPECTED


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert rows(read(path)) == EXPECTED


@pytest.mark.parametrize("name", ["score", 0])
def test_what_qlib_predicts_is_a_score(tmp_path: Path, name: object) -> None:
    index = pd.MultiIndex.from_tuples(
        [(pd.Timestamp(day), share) for day, share, _ in EXPECTED], names=["datetime", "instrument"]
    )
    frame = pd.Series([0.01, -0.02, 3.5], index=index, name=name).to_frame()
    frame.columns = [str(one) for one in frame.columns]
    for path, write in ((tmp_path / "q.parquet", frame.to_parquet), (tmp_path / "q.csv", frame.to_csv)):
        write(path)
        sieve = read(path)
        assert [(day, share, *values.values()) for day, share, values in rows(sieve)] == [
            ("2024-01-02", "AAA", 0.01), ("2024-01-03", "AAA", -0.02), ("2024-01-02", "BBB", 3.5),
        ]  # fmt: skip
        assert sieve.forecasts.scores == {str(name)}


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return (pytest.fail, ("a pickle was run",))

    for name in ("pred.pkl", "pred.csv"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Trap(), protocol=4))
        with pytest.raises(UserError, match=r"is a pickle.*to_parquet"):
            read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("time,share_id,probability\n", "has a header but no forecasts"),
        ("2024-01-02,AAA,0.5\n2024-01-03,AAA,0.5\n", "has no header; add one, such as time,share_id,probability"),
        (PLAIN.replace("share_id", "x"), "there is no column share_id"),
        (PLAIN.replace("probability", "linear"), "say --probability linear where it is within"),
        (PLAIN.replace("0.", "5"), "outside \\[0, 1\\].*--score probability.*per cent"),
        ("time,share_id,p,prob\n2024-01-02,AAA,0.5,0.5\n", "which of p, prob holds the forecasts"),
        ("time,share_id,momentum_20\n2024-01-02,AAA,0.5\n", "no column is called probability or score"),
        ("time,share_id,p\n03/04/2024,AAA,0.5\n", "can be .*--date-format"),
        ("era,id,prediction\n0001,n0,0.5\n", "no column time or date.*an era and an id of Numerai"),
        ("era,id,prediction\n2024-01-02,AAA,0.5\n", "say --column time=era --column share=id"),
        ("time,AAA,BBB\n2024-01-02,0.5,0.4\n", "where each column is a share, make it long.*stack"),
        ("time,linear,note\n2024-01-02,0.5,x\n", "choose with --column share=NAME, or say --share NAME"),
        ('{"time": "2024-01-02", "share_id": "AAA", "p": 0.5}\n', "is neither CSV nor Parquet"),
    ],
)
def test_a_file_that_cannot_be_judged_says_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path / "p.csv", text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "p.csv"))


def test_choices_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(PLAIN.replace("probability", "linear"))
    for choice, said in (
        (ColumnChoice(columns={"colour": "x"}), "colour is unknown; choose one of time, share, written"),
        (ColumnChoice(("dnn",)), "the column dnn .--probability. is there not"),
        (ColumnChoice(("linear",), ("linear",)), "named twice"),
    ):
        with pytest.raises(UserError, match=said):
            read(path, choice=choice)
    with pytest.raises(UserError, match="linear has a name that the judgement itself uses"):
        read_forecasts(path, ColumnChoice(("linear",)), reserved={"linear"}, today=TODAY)
    with pytest.raises(UserError, match="does not exist; name a CSV or Parquet file of forecasts"):
        read(tmp_path / "other.csv")


def test_columns_can_be_named(tmp_path: Path) -> None:
    text = "a,b,c,d,e\n2024-01-02,2024-01-03,AAA,0.5,7\n"
    choice = ColumnChoice(("d",), ("e",), {"time": "a", "written": "b", "share": "c"})
    sieve = read(tmp_path / "p.csv", text, choice)
    assert rows(sieve) == [("2024-01-02", "AAA", {"d": 0.5, "e": 7.0})]
    assert sieve.forecasts.scores == {"e"}
    assert sieve.forecasts.written is not None
    assert np.datetime64(int(sieve.forecasts.written[0]), "D") == np.datetime64("2024-01-03")


def test_numerai_s_columns_are_read_where_they_tell_day_and_share(tmp_path: Path) -> None:
    text = PLAIN.replace("time,share_id,probability", "era,id,prediction")
    sieve = read(tmp_path / "p.csv", text, ColumnChoice(columns={"time": "era", "share": "id"}))
    assert rows(sieve) == [(day, share, {"prediction": value["probability"]}) for day, share, value in EXPECTED]
    assert sieve.forecasts.scores == {"prediction"}


@pytest.mark.parametrize("end", ["T15:00:00+08:00", "T00:00:00Z"])
def test_an_instant_of_a_session_is_its_day(tmp_path: Path, end: str) -> None:
    text = PLAIN.replace("-02,", f"-02{end},").replace("-03,", f"-03{end},")
    assert rows(read(tmp_path / "p.csv", text)) == EXPECTED


def test_a_mark_before_the_text_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(PLAIN, encoding="utf-8-sig")
    assert rows(read(tmp_path / "p.csv")) == EXPECTED


def test_a_packed_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress((PLAIN * 100).encode())[:-20])
    with pytest.raises(UserError, match=r"p\.csv\.gz: the compressed file is damaged"):
        read(path)


def test_the_share_of_a_file_that_names_none(tmp_path: Path) -> None:
    sieve = read(tmp_path / "p.csv", "date,p\n2024-01-02,0.5\n", ColumnChoice(share="AAA"))
    assert rows(sieve) == [("2024-01-02", "AAA", {"p": 0.5})]


def test_an_instant_of_writing_has_its_day_in_a_zone(tmp_path: Path) -> None:
    text = "time,share_id,p,made_at\n2024-01-05,AAA,0.5,2024-01-06T02:30:00Z\n"
    for zone, day in ({}, "2024-01-06"), ({"zone": "America/New_York"}, "2024-01-05"):
        written = read(tmp_path / "p.csv", text, **zone).forecasts.written
        assert written is not None
        assert str(np.datetime64(int(written[0]), "D")) == day


def test_cells_that_are_no_forecasts_are_left_out_by_row(tmp_path: Path) -> None:
    good = "".join(f"2024-01-{day:02d},AAA,0.5\n" for day in range(2, 20))
    bad = {
        "2024-01-02,BBB,": "missing",
        "2024-01-03,BBB,NaN": "missing",
        "2024-01-04,BBB,high": "no number",
        "2024-01-05,BBB,inf": "infinite",
        "2024-01-08,BBB,1.01": "no probability",
        "2024-01-09,BBB,-0.01": "no probability",
        "2024-05-09,BBB,0.5": "time",
        "soon,BBB,0.5": "time",
        ",BBB,0.5": "time",
        "2024-01-11,,0.5": "share",
    }
    sieve = read(tmp_path / "p.csv", "time,share_id,p\n" + good + "\n".join(bad) + "\n")
    assert len(rows(sieve)) == 18
    found = {row.row: one.why for one in sieve.left_out for row in one.examples}
    assert found == dict(enumerate(bad.values(), 20))
    assert all((one.mend and ";" in one.words) or "future" in one.words for one in sieve.left_out)
    assert sum(one.count for one in sieve.left_out) == len(bad)
    details = {row.row: row.reason for one in sieve.left_out for row in one.examples}
    assert details[22] == "'high'"
    assert details[24] == "1.01"
    assert details[27] == "soon"
