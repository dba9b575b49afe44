from __future__ import annotations

import pytest

from components.errors import ExtractionError
from components.extractor.keys import has_key, key_of
from components.extractor.sources.registry import get_source

VARIABLE = "TIINGO_API_KEY"
TIINGO, TENCENT = get_source("tiingo"), get_source("tencent")


def test_a_source_without_a_key_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "abc")
    assert key_of(TENCENT) is None
    assert not has_key(TENCENT)


@pytest.mark.parametrize("value", ["0123456789abcdef", "a-b_c.d~e/f+g=", " surrounded\n", "SECRET\r"])
def test_a_key_is_read(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert key_of(TIINGO) == value.strip()
    assert has_key(TIINGO)


@pytest.mark.parametrize("value", [None, "", "  ", "\t\n"])
def test_a_key_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ExtractionError, match=f"Tiingo end of day needs a key: set {VARIABLE}"):
        key_of(TIINGO)
    assert not has_key(TIINGO)


@pytest.mark.parametrize("between", [" ", "\nX-Other: ", "\t", "\u00a0", "É", "\x7f"])
def test_the_error_never_holds_the_key(monkeypatch: pytest.MonkeyPatch, between: str) -> None:
    monkeypatch.setenv(VARIABLE, f"SECRET{between}SECRET")
    with pytest.raises(ExtractionError, match=f"{VARIABLE} holds blanks or unusable characters") as raised:
        key_of(TIINGO)
    assert "SECR" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None
