"""Keys and tokens, which the environment holds: no settings, as they must not travel where settings do."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import SecretStr

from pipeline.settings import KFP_TOKEN, SERVE_TOKEN, SERVE_TOKEN_FILE, SettingsError


def cos_credentials() -> tuple[str | None, str | None]:
    """Id and key for COS from the environment; None where they are not set. No settings, as they are secrets."""
    return os.environ.get("COS_SECRET_ID") or None, os.environ.get("COS_SECRET_KEY") or None


def kfp_token() -> SecretStr | None:
    """What is sent to Kubeflow Pipelines as the bearer's token, from the environment; None where it is not set.

    Raises:
        SettingsError: it cannot be one; the message does not show it.
    """
    return _token(KFP_TOKEN, os.environ.get(KFP_TOKEN, ""))


def serve_token() -> SecretStr | None:
    """What whoever asks `awesome serve` has to show; None where nothing is set.

    Raises:
        SettingsError: it cannot be one, or its file cannot be read; the message does not show it.
    """
    text, file = os.environ.get(SERVE_TOKEN, ""), os.environ.get(SERVE_TOKEN_FILE, "")
    if text and file:
        raise SettingsError(f"{SERVE_TOKEN} and {SERVE_TOKEN_FILE} are both set; set one of them")
    if not file:
        return _token(SERVE_TOKEN, text)
    try:
        token = _token(SERVE_TOKEN_FILE, Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"{SERVE_TOKEN_FILE}: {file} cannot be read ({why})") from None
    if token is None:  # who names a file wants a token
        raise SettingsError(f"{SERVE_TOKEN_FILE}: {file} is empty")
    return token


def _token(origin: str, text: str) -> SecretStr | None:
    text = text.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise SettingsError(f"{origin}: is no token; it has signs other than letters, digits and punctuation")
    return SecretStr(text) if text else None
