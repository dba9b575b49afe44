"""All leaks that are planted."""

from __future__ import annotations

from benchmarks.planted_leaks import of_prices, of_rows, of_splits
from benchmarks.planted_leaks.planting import PlantedLeak

LEAKS: tuple[PlantedLeak, ...] = (*of_splits.LEAKS, *of_prices.LEAKS, *of_rows.LEAKS)


def leak_named(name: str) -> PlantedLeak:
    """The leak of that name, "kind: name".

    Raises:
        KeyError: there is none.
    """
    return {f"{leak.kind}: {leak.name}": leak for leak in LEAKS}[name]
