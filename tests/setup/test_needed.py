"""What tests need is no reason to leave them out where everything is installed."""

from __future__ import annotations

from pathlib import Path

import needed
import pytest

TESTS = Path(__file__).resolve().parents[1]


def test_what_is_missing_skips_a_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needed, "CI", False)
    with pytest.raises(pytest.skip.Exception):
        needed.needed("no_such_library")
    with pytest.raises(pytest.skip.Exception):
        needed.needed_program("no-such-program", "nothing")
    monkeypatch.setattr(needed, "CI", True)
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        needed.needed("no_such_library")
    with pytest.raises(pytest.fail.Exception, match="install Debian's nothing"):
        needed.needed_program("no-such-program", "nothing")


def test_what_is_there_is_given() -> None:
    assert needed.needed("json").loads("1") == 1
    assert Path(needed.needed_program("sh", "dash")).name == "sh"


def test_no_test_asks_for_a_library_otherwise() -> None:
    asking = [path.name for path in TESTS.rglob("*.py") if "importorskip(" in path.read_text(encoding="utf-8")]
    assert sorted(asking) == ["needed.py", Path(__file__).name]
