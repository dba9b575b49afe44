"""Passwords and keys in addresses are nobody's business: not on a terminal, in a log, in a report or in metadata."""

from __future__ import annotations

import re

HIDDEN = "***"

# With bounds: a log's line may hold a word of a million letters.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,40}:/{1,3})([^\s\"'<>]+)")
_SECRET = r"[\w.%-]{0,40}(?:pass|pwd|secret|token|key|sig|credential|auth|session)[\w.%-]{0,40}"
_QUERY = re.compile(rf"([?&;#]{_SECRET}=)[^&\s\"'<>]*", re.IGNORECASE)
_ENTRY = re.compile(r"""(["']?\b\w{0,40}(?:passw(?:or)?d|token)["']?\s*[:=]\s*)(["'])(?:(?!\2).)*\2""", re.IGNORECASE)


def masked(text: str) -> str:
    """A text without the passwords of the addresses in it, whatever their scheme.

    That is what stands before the `@` of a host, even if it holds an `@`, a `:` or a `/` itself, the values of query
    parameters whose names speak of a password, key, token or signature, and the values of table entries that do.

    >>> masked("mysql+pymysql://ann:p@ss:w/rd@db:3306/x?charset=utf8&password=1")
    'mysql+pymysql://***@db:3306/x?charset=utf8&password=***'
    """
    text = _ADDRESS.sub(lambda found: found[1] + _without_user(found[1], found[2]), text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    return _ENTRY.sub(rf"\1\2{HIDDEN}\2", text)


def _without_user(scheme: str, rest: str) -> str:
    """What follows the scheme of an address, its user and password replaced."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    port = authority.rpartition(":")[2] if ":" in authority and not authority.startswith("[") else ""
    # A password may hold any of the signs that end it. What is before the first / is one's beginning, too, where it can
    # be no host and port; the last @ of all is then its end: rather too much is hidden than a part is shown.
    begun = "@" in authority or (port != "" and not port.isdecimal())
    if scheme.lower().startswith("file:") or not begun or "@" not in rest:
        return rest
    query = _QUERY.search(rest)
    at = rest.rfind("@", 0, query.start() if query else None)
    return HIDDEN + rest[at if at >= 0 else rest.rindex("@") :]
