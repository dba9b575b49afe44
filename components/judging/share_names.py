"""What names of one share have in common, however vendors write it: only to say which one is probably meant."""

from __future__ import annotations

import re

_CHINA = re.compile(r"(?P<before>sh|sz|bj)?[.:_]?(?P<code>[0-9]{6})(?:[.:_]?(?P<after>ss|sh|xshg|sz|xshe|bj|xbse))?")
_MARKETS = {"ss": "sh", "xshg": "sh", "xshe": "sz", "xbse": "bj"}
_HONG_KONG = re.compile(r"hk[.:_]?0*([0-9]{1,5})|0*([0-9]{1,5})[.: _](?:hk|xhkg)(?: equity)?")
_AMERICA = re.compile(r"([a-z][a-z0-9]*(?:[./-][a-z])?)(?:[.: _](?:us|xnys|xnas|nyse|nasdaq|oq))?(?: equity)?")


def share_key(name: str) -> str:
    """A share's name without what vendors write differently.

    >>> share_key("SH600000"), share_key("600000.XSHG"), share_key("sh.600000")
    ('sh600000', 'sh600000', 'sh600000')
    >>> share_key("0700.HK"), share_key("hk00700"), share_key("BRK.B US Equity"), share_key("BRK-B")
    ('hk700', 'hk700', 'brk-b', 'brk-b')
    """
    text = " ".join(name.casefold().split())
    if found := _CHINA.fullmatch(text):
        market = found["before"] or found["after"] or ""
        return f"{_MARKETS.get(market, market)}{found['code']}"
    if found := _HONG_KONG.fullmatch(text):
        return f"hk{found[1] or found[2]}"
    if found := _AMERICA.fullmatch(text):
        return re.sub("[./]", "-", found[1])
    return text
