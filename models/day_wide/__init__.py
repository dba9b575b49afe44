"""Day-wide columns: raw features that need the other shares of the day, or more sessions than a window holds.

A column is declared in `columns.py` and computed by `prices.py` of the prices of all shares, row by row of what was
known at the close of the row's session. FeatureExampleGen carries it into examples where a formatter of the run reads
it (a feature names it as its source); `awesome predict` and `awesome serve` compute it anew from the store, by the same
code. Nothing is added up from a beginning: a row has the same bits whatever sessions were read before and after those
that it is made of. Importing the declarations needs no NumPy.

Example:
    >>> from models.day_wide.columns import columns_of, reach_of
    >>> reach_of(["closes", "market_relative_returns"])
    20
"""
