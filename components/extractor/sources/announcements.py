"""Reads what Tencent's rows say of a corporate action, in Chinese: `10转8股派25.2元` and the like.

The words of a row need not be all that happened, and those of Hong Kong may name cash of another currency. So they are
only ever a claim, which the adjusted closes have to bear out.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_BASE = re.compile(rf"每?{_NUMBER}股?")
_PARTS = (
    ("bonus", re.compile(rf"(?:送红股|转增股|转增|送股|送|转){_NUMBER}股?")),
    ("rights", re.compile(rf"配股?{_NUMBER}股?")),
    ("price", re.compile(rf"(?:配股价格?|配股价|价格?|每股)(?:为)?[:\uff1a]?{_NUMBER}元?")),
    ("cash", re.compile(rf"(?:派发现金红利|派发现金|派现金|派现|派息|派){_NUMBER}元?")),
    ("merged", re.compile(rf"(?:合|并|缩){_NUMBER}股?")),
    ("divided", re.compile(rf"(?:拆){_NUMBER}股?")),
)
_HONG_KONG_CASH = re.compile(rf"(?:末期|中期|特别|特別|季度|第[一二三四]季)?[股派]?息{_NUMBER}(?:港元|港币|港幣)")
_BETWEEN = re.compile(r"(?:[\s,;()、。\uff0c\uff1b\uff08\uff09]|含税|税前)*")


@dataclass(frozen=True)
class Announcement:
    """What a row claims of an event.

    Attributes:
        cash: paid for a share of the session before; less than 0 if it had to pay for new ones; NaN if nobody says.
        ratio: shares that it became, likewise.
    """

    cash: float = math.nan
    ratio: float = math.nan

    @property
    def says_nothing(self) -> bool:
        """Whether neither is known."""
        return math.isnan(self.cash) and math.isnan(self.ratio)

    def then(self, other: Announcement) -> Announcement:
        """Both, where two events fall on one session."""
        return Announcement(self.cash + self.ratio * other.cash, self.ratio * other.ratio)


def read_announcement(words: str, cash_of_ten: str) -> Announcement:
    """Reads an event.

    Args:
        words: such as `10送2股派1元`; may be empty.
        cash_of_ten: CNY for 10 shares as the row gives it beside the words; may be empty.

    >>> read_announcement("10转8股派25.2元", "25.2")
    Announcement(cash=2.52, ratio=1.8)
    >>> read_announcement("10配3股配股价5元", "")
    Announcement(cash=-1.5, ratio=1.3)
    """
    told = _number(cash_of_ten)
    amounts = _amounts(words)
    if amounts is None:
        return Announcement(math.nan if told is None or told == 0 else told / 10)
    base = amounts["base"]
    cash = amounts.get("cash", 0.0) / base
    if "cash" not in amounts and told is not None:
        cash = told / 10
    bonus, rights = amounts.get("bonus", 0.0), amounts.get("rights", 0.0)
    left = amounts.get("merged", amounts.get("divided", base))
    ratio = (left + bonus + rights) / base
    if rights:
        cash -= amounts.get("price", math.nan) * rights / base
    return Announcement(cash, ratio if ratio > 0 else math.nan)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(_NUMBER, text) else None


def _amounts(words: str) -> dict[str, float] | None:
    """The numbers of the words by what they are; None if anything of them is not understood."""
    match = _HONG_KONG_CASH.fullmatch(words.strip())
    if match:
        return {"base": 1.0, "cash": float(match[1])}
    match = _BASE.match(words.strip())
    if not match or not float(match[1]):
        return None
    found, at, text = {"base": float(match[1])}, match.end(), words.strip()
    while at < len(text):
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        for name, pattern in _PARTS:
            part = pattern.match(text, at)
            if part:
                found[name] = found.get(name, 0.0) + float(part[1])
                at = part.end()
                break
        else:
            return None if at < len(text) else found
    return found if len(found) > 1 else None
