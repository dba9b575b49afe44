"""Whether a model still sees what it was trained on and loses as little as in its backtest, and so when to train again.

`sessions.summarise` makes a session's summary of the features that a model sees, `reference.make_reference` the record
of those it was trained on, `features.feature_drift` compares. `losses` watches the daily loss against the backtest's,
`retraining.due` gives the reasons to train again. Records are plain dataclasses (components/records.py). NumPy and
SciPy alone; docs/drift.md has the rates of false alarms.
"""
