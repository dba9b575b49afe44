"""What opening takes, takes over and refuses."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from databases import bars, execute, put, rows

from components.errors import StoreError
from components.feature_store import FeatureStore
from components.whole_files import PARTIAL

# --- opening


def original_database(path: Path, closes: int = 21) -> None:
    """A database as other tools write it: the table FEATURE alone, without a key or a version."""
    cells = ", ".join(str(10.0 + lag) for lag in range(closes))
    execute(
        path,
        f"CREATE TABLE FEATURE (time TEXT, share_id TEXT, {', '.join(f'close{lag} REAL' for lag in range(closes))})",
        *(
            f"INSERT INTO FEATURE VALUES ('{day}', '{share_id}', {cells})"
            for share_id in ("B", "A")
            for day in ("2020-01-03", "2020-01-02")
        ),
    )


def test_a_database_with_features_alone_is_readable_and_stays_as_it_is(path: Path) -> None:
    original_database(path)
    before = path.read_bytes()
    with FeatureStore.open(path) as store:
        assert [(share.share_id, share.rows, share.source) for share in store.shares()] == [
            ("A", 2, None),
            ("B", 2, None),
        ]
        assert store.sessions().astype(str).tolist() == ["2020-01-02", "2020-01-03"]
        assert store.read_features(["B"]).to_pydict()["time"] == ["2020-01-02", "2020-01-03"]
        with pytest.raises(StoreError, match="reading only"):
            store.upsert("C", bars(3), "file")
    assert path.read_bytes() == before


def test_create_takes_over_a_database_with_features_alone(path: Path) -> None:
    original_database(path)
    with FeatureStore.open(path) as store:
        before = store.digest()
    with FeatureStore.create(path) as store:
        assert store.digest() == before
        store.upsert("C", bars(22), "file")
        with pytest.raises(StoreError, match="'unknown'"):
            store.upsert("A", bars(22), "file")
        store.upsert("A", bars(22), "file", replace=True)
        assert [(share.share_id, share.rows, share.source) for share in store.shares()] == [
            *[("A", 2, "file"), ("B", 2, None), ("C", 2, "file")]
        ]
    assert rows(path, "SELECT name FROM sqlite_master ORDER BY name") == [
        *[("DECISION",), ("EXTRACTION",), ("FEATURE",), ("LISTING",), ("LOOK_BACK",), ("MEMBER",), ("PRICE",)]
    ]


def test_create_refuses_features_with_a_day_twice_and_changes_nothing(path: Path) -> None:
    original_database(path)
    execute(path, "INSERT INTO FEATURE SELECT * FROM FEATURE LIMIT 1")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="twice"):
        FeatureStore.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE TABLE BOOKMARKS (id)", "neither FEATURE nor PRICE"),
        ("CREATE TABLE FEATURE (time, share_id, close0)", "FEATURE has no column close1, close2"),
        ("CREATE TABLE PRICE (share_id, time, close)", "PRICE has no column open"),
    ],
)
def test_open_says_what_the_database_lacks(path: Path, sql: str, message: str) -> None:
    execute(path, sql)
    with pytest.raises(StoreError, match=message) as caught:
        FeatureStore.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_open_names_the_one_missing_close(path: Path) -> None:
    original_database(path, closes=20)
    with pytest.raises(StoreError, match="FEATURE has no column close20;"):
        FeatureStore.open(path)


def test_open_refuses_what_is_no_database_and_makes_nothing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        FeatureStore.open(path)
    assert not path.exists()
    with pytest.raises(StoreError, match="is a folder"):
        FeatureStore.open(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="is empty"):
        FeatureStore.open(path)
    path.write_bytes(b"time,share_id\n" * 100)
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(StoreError, match="not an SQLite database"):
            opened(path)
    assert path.read_bytes() == b"time,share_id\n" * 100


def test_a_damaged_database_gives_one_line(path: Path) -> None:
    with FeatureStore.create(path) as store:
        for share_id in ("A", "B", "C", "D"):
            store.upsert(share_id, bars(200), "file")
    content = bytearray(path.read_bytes())
    content[8192:-8192] = b"\xff" * (len(content) - 16384)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be used") as caught, FeatureStore.open(path) as store:
        store.digest()
    assert "\n" not in str(caught.value)


def test_create_refuses_foreign_and_newer_databases_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    execute(path, "CREATE TABLE BOOKMARKS (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"belongs to something else \(tables BOOKMARKS\)"):
        FeatureStore.create(path)
    assert path.read_bytes() == before
    newer = tmp_path / "newer.db"
    execute(newer, "PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="schema version 7, this program knows 4"):
        FeatureStore.create(newer)
    execute(newer, "PRAGMA user_version = -7")
    with pytest.raises(StoreError, match=r"newer\.db: the database belongs to something else \(its user_version is -7"):
        FeatureStore.create(newer)
    with pytest.raises(StoreError, match=r"the folder .* does not exist"):
        FeatureStore.create(tmp_path / "nowhere" / "awesome.db")
    with pytest.raises(StoreError, match="is a folder"):
        FeatureStore.create(tmp_path)


def test_a_link_that_leads_back_to_itself_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").symlink_to(tmp_path / "b.db")
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
    with pytest.raises(StoreError, match=r"a\.db is a link that leads back to itself; name another database"):
        FeatureStore.create(tmp_path / "a.db")
    with pytest.raises(StoreError, match=r"a\.db does not exist"):
        FeatureStore.open(tmp_path / "a.db")


def test_what_killed_writers_left_beside_the_file_behind_a_link_is_cleared(tmp_path: Path) -> None:
    """A push makes its copy of the database beside the file itself."""
    (tmp_path / "real").mkdir()
    put(tmp_path / "real" / "awesome.db", "A", bars(3), "file")
    link = tmp_path / "awesome.db"
    link.symlink_to(tmp_path / "real" / "awesome.db")
    killed = "import os, sys; from pathlib import Path; from components.whole_files import partial_beside; "
    killed += "partial_beside(Path(sys.argv[1])).write_text('large'); os._exit(9)"
    for path in (link, link.resolve()):
        subprocess.run([sys.executable, "-c", killed, str(path)], cwd=Path(__file__).parents[2], check=False)
    assert len(list(tmp_path.rglob(f"{PARTIAL}*"))) == 2
    FeatureStore.open(link).close()
    assert len(list(tmp_path.rglob(f"{PARTIAL}*"))) == 2
    FeatureStore.create(link).close()
    assert list(tmp_path.rglob(f"{PARTIAL}*")) == []


def test_unusual_file_names_are_opened_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&x=%41 #1.db"
    put(path, "A", bars(21), "file")
    with FeatureStore.open(path) as store:
        assert store.read_features(["A"]).num_rows == 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_database_in_a_folder_that_cannot_be_written_is_readable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(path, "A", bars(21), "file")
    assert not path.with_name("awesome.db-wal").exists()
    monkeypatch.setattr("os.access", lambda *_: False)
    with FeatureStore.open(path) as store:
        assert store.read_features(["A"]).num_rows == 1
        # Opened as immutable: nothing appears beside the database.
        assert [file.name for file in path.parent.iterdir()] == ["awesome.db"]


def test_a_reader_sees_a_consistent_store_while_another_writes(path: Path) -> None:
    with FeatureStore.create(path) as writer:
        writer.upsert("A", bars(30), "file")
        with FeatureStore.open(path) as reader:
            before = reader.digest()
            writer._connection.execute("BEGIN IMMEDIATE")
            writer._connection.execute("DELETE FROM FEATURE")
            assert reader.digest() == before
            writer._connection.execute("ROLLBACK")


# --- what others have added

ADDED = {
    "a trigger": ("CREATE TRIGGER sweep AFTER INSERT ON PRICE BEGIN DELETE FROM PRICE; END", "trigger sweep changes"),
    "a trigger on windows": (
        "CREATE TRIGGER one BEFORE DELETE ON feature BEGIN SELECT RAISE(IGNORE); END",
        "trigger one changes",
    ),
    "a trigger on decisions": (
        "CREATE TRIGGER 'a \"b' AFTER UPDATE ON DECISION BEGIN DELETE FROM PRICE; END",
        'DROP TRIGGER "a ""b"',
    ),
    "a trigger with a long name": (
        "CREATE TRIGGER 'two\nlines' AFTER INSERT ON PRICE BEGIN DELETE FROM PRICE; END",
        "the trigger two lines changes",
    ),
}
INDEXED = {
    "a unique index": ("CREATE UNIQUE INDEX one ON PRICE (time)", "unique index one removes rows of PRICE"),
    "a unique index of part of the rows": (
        "CREATE UNIQUE INDEX one ON FEATURE (share_id) WHERE time = '2020-01-25'",
        "unique index one removes rows of FEATURE",
    ),
    "a unique index of another collation": (
        "CREATE UNIQUE INDEX one ON PRICE (share_id COLLATE NOCASE, time)",
        "unique index one",
    ),
    "a unique index of an expression": ("CREATE UNIQUE INDEX one ON PRICE (lower(share_id), time)", "unique index one"),
}


@pytest.mark.parametrize(("sql", "message"), ADDED.values(), ids=ADDED)
def test_what_changes_the_writing_is_refused_in_one_line(path: Path, sql: str, message: str) -> None:
    put(path, "A", bars(40), "file")
    execute(path, sql)
    before = path.read_bytes()
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(StoreError) as refusal:
            opened(path)
        assert message in str(refusal.value)
        assert "into a new database file" in str(refusal.value)
        assert "\n" not in str(refusal.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("sql", "message"), INDEXED.values(), ids=INDEXED)
def test_an_index_that_removes_rows_is_refused_before_any_is_written(path: Path, sql: str, message: str) -> None:
    put(path, "A", bars(40), "file")
    execute(path, sql)
    before = path.read_bytes()
    FeatureStore.open(path).close()  # what it holds can be read
    with pytest.raises(StoreError, match=message):
        FeatureStore.create(path)
    assert path.read_bytes() == before


def test_keys_of_another_tool_are_no_reason_not_to_read(path: Path) -> None:
    original_database(path)
    execute(
        path,
        "ALTER TABLE FEATURE ADD COLUMN id INTEGER",
        "CREATE UNIQUE INDEX ids ON FEATURE (id)",
        "CREATE UNIQUE INDEX days ON FEATURE (time, share_id)",
    )
    with FeatureStore.open(path) as store:
        assert store.read_features(["A"]).num_rows == 2


def remade(path: Path, table: str, old: str, new: str) -> None:
    """Makes a table anew with another statement, and its rows."""
    [[sql]] = rows(path, f"SELECT sql FROM sqlite_master WHERE name = '{table}'")
    assert old in sql
    execute(
        path,
        f"ALTER TABLE {table} RENAME TO BEFORE",
        sql.replace(old, new),
        f"INSERT INTO {table} SELECT * FROM BEFORE",
        "DROP TABLE BEFORE",
    )


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("PRICE", "PRIMARY KEY (share_id, time)", "PRIMARY KEY (share_id, time) ON CONFLICT IGNORE"),
        ("PRICE", "PRIMARY KEY (share_id, time)", "PRIMARY KEY (share_id COLLATE NOCASE, time)"),
        ("PRICE", "share_id TEXT NOT NULL", "share_id TEXT NOT NULL COLLATE NOCASE"),
        ("PRICE", "PRIMARY KEY (share_id, time)", "PRIMARY KEY (share_id, time), UNIQUE (time)"),
        ("PRICE", "open REAL,", "open REAL UNIQUE,"),
        ("FEATURE", "time TEXT NOT NULL", "time TEXT NOT NULL ON CONFLICT IGNORE"),
        ("FEATURE", "close20 REAL NOT NULL", "close20 REAL NOT NULL REFERENCES PRICE (time) ON DELETE CASCADE"),
        ("PRICE", "close > 0", "close > 0 AND close < 100"),
        ("EXTRACTION", "share_id TEXT PRIMARY KEY", "share_id TEXT PRIMARY KEY COLLATE NOCASE"),
        ("DECISION", "'exclude'", "'EXCLUDE', 'exclude'"),
    ],
)
def test_a_table_of_other_keys_or_rules_is_refused(path: Path, table: str, old: str, new: str) -> None:
    put(path, "A", bars(40), "file")
    remade(path, table, old, new)
    FeatureStore.open(path).close()  # what it holds can be read
    with pytest.raises(StoreError, match=f"the table {table} is not as this program makes it"):
        FeatureStore.create(path)


@pytest.mark.parametrize("table", ["PRICE", "FEATURE", "EXTRACTION", "DECISION"])
def test_a_view_or_a_virtual_table_in_the_place_of_a_table_is_refused(path: Path, table: str) -> None:
    put(path, "A", bars(40), "file")
    execute(path, f"ALTER TABLE {table} RENAME TO REAL_ONE", f"CREATE VIEW {table} AS SELECT * FROM REAL_ONE")
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(StoreError, match=f"{table} is a view"):
            opened(path)
    execute(path, f"DROP VIEW {table}", f"CREATE VIRTUAL TABLE {table} USING fts5(share_id, time)")
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(StoreError, match=f"{table} is a virtual table"):
            opened(path)


def test_a_view_of_another_tool_is_refused_too(path: Path) -> None:
    original_database(path)
    execute(path, "ALTER TABLE FEATURE RENAME TO REAL_ONE", "CREATE VIEW feature AS SELECT * FROM REAL_ONE")
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(StoreError, match="FEATURE is a view"):
            opened(path)


@pytest.mark.parametrize(
    "column",
    [
        "amount DECIMAL(10, 2) DEFAULT 0.5",
        "amount DECIMAL(10,2) NOT NULL DEFAULT -1.5e-3",
        "amount DECIMAL (+10, -2) NULL DEFAULT (1)",
        "seen TEXT DEFAULT 'a, b) check (''x'')'",
        "seen BOOLEAN DEFAULT TRUE",
        """"check, 'it''s' mine" LONG VARCHAR(5) DEFAULT x'00' NOT NULL""",
        "[unique] DEFAULT 0 /* of mine */",
        "größe UNSIGNED BIG INT /* mine */ DEFAULT +7",
        "kind",
    ],
)
@pytest.mark.parametrize("table", ["PRICE", "FEATURE", "EXTRACTION"])
def test_a_column_that_only_holds_something_may_be_added(path: Path, table: str, column: str) -> None:
    put(path, "A", bars(30), "file")
    execute(path, f"ALTER TABLE {table} ADD COLUMN {column}", f"ALTER TABLE {table} ADD COLUMN last INTEGER DEFAULT 1")
    put(path, "A", bars(60, seed=1), "file")
    assert rows(path, "SELECT COUNT(*), MAX(close) > 0 FROM PRICE") == [(60, 1)]


@pytest.mark.parametrize(
    "column",
    [
        "twice AS (close * 2)",
        "twice REAL GENERATED ALWAYS AS (close * 2) VIRTUAL",
        "more INT CHECK (close > 0)",
        "more TEXT COLLATE NOCASE CHECK (more <> 'b')",
        "more INT DEFAULT 0 REFERENCES mine (id)",
        "more INT NOT NULL ON CONFLICT IGNORE DEFAULT 1",
        "more INT CONSTRAINT one CHECK (close > 0)",
        """more INT DEFAULT "it's" CHECK (close > 0)""",
        "more INT DEFAULT 'x' CHECK (close < 'it''s')",
    ],
)
def test_a_column_that_does_more_is_refused(path: Path, column: str) -> None:
    put(path, "A", bars(30), "file")
    execute(path, f"ALTER TABLE PRICE ADD COLUMN {column}")
    with pytest.raises(StoreError, match="the table PRICE is not as this program makes it"):
        FeatureStore.create(path)


def test_many_columns_are_looked_at_in_no_time(path: Path) -> None:
    """A pattern with a choice in each column once took twice as long with every column more."""
    put(path, "A", bars(30), "file")
    for number in range(40):
        execute(path, f"ALTER TABLE PRICE ADD COLUMN mine{number} LONG INT NOT NULL DEFAULT 0")
    execute(path, "ALTER TABLE PRICE ADD COLUMN last INT CHECK (last > 0)")
    start = time.monotonic()
    with pytest.raises(StoreError, match="the table PRICE is not as this program makes it"):
        FeatureStore.create(path)
    assert time.monotonic() - start < 2


def test_what_changes_nothing_may_stay(path: Path) -> None:
    put(path, "A", bars(40), "file")
    execute(
        path,
        "CREATE TABLE notes (share_id REFERENCES PRICE (share_id) ON DELETE CASCADE, note)",
        "INSERT INTO notes VALUES ('A', 'mine')",
        "CREATE TRIGGER mine AFTER INSERT ON notes BEGIN UPDATE notes SET note = 'seen'; END",
        "CREATE VIEW latest AS SELECT share_id, MAX(time) FROM PRICE GROUP BY share_id",
        "CREATE VIRTUAL TABLE words USING fts5(word)",
        "CREATE INDEX by_time ON PRICE (time)",
        "CREATE UNIQUE INDEX by_both ON FEATURE (time, share_id)",
        "ALTER TABLE PRICE ADD COLUMN note TEXT",
        "ALTER TABLE PRICE ADD amount DECIMAL(10, 5)",
        "ALTER TABLE FEATURE ADD COLUMN seen INTEGER NOT NULL DEFAULT 0",
    )
    put(path, "A", bars(60, seed=1), "file")
    put(path, "B", bars(30), "file")
    assert rows(path, "SELECT share_id, COUNT(*) FROM PRICE GROUP BY share_id") == [("A", 60), ("B", 30)]
    assert rows(path, "SELECT share_id, COUNT(*) FROM FEATURE GROUP BY share_id") == [("A", 40), ("B", 10)]
    assert rows(path, "SELECT * FROM notes") == [("A", "mine")]
