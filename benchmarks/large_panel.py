"""A panel of more shares than a market in memory has: `python -m benchmarks.large_panel --build DIR --shares 50000`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from components.price_panel.writing import SharePrices

AT_ONCE = 1000
"""Shares that are made together, as a market of their own seed."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the panel's folder, which is made")
    parser.add_argument("--shares", type=int, required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--market", default="null", help="the scenario")
    arguments = parser.parse_args()
    from components.price_panel.writing import write_prices

    prices = _prices(arguments.market, arguments.shares, arguments.sessions)
    write_prices(arguments.build, prices, arguments.shares)


def _prices(market: str, shares: int, sessions: int) -> Iterator[SharePrices]:
    from components.feature_store import PriceBars
    from components.price_panel.writing import SharePrices
    from components.synthetic_market import generate

    for begin in range(0, shares, AT_ONCE):
        made = generate(market, shares=min(AT_ONCE, shares - begin), sessions=sessions, seed=begin // AT_ONCE)
        for at in range(made.close.shape[1]):
            close = made.close[:, at]
            bars = PriceBars(made.time, close, np.ones(len(close)))
            yield SharePrices(f"S{begin + at:06d}", bars, "synthetic", whole=True)


if __name__ == "__main__":
    main()
