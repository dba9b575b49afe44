"""Predictions written down before anybody could know the answer, and what came of them.

One append-only SQLite file beside the feature store. Each row holds the hash of the row before, so that no row can be
changed, taken out, put in or moved without all later ones; the hash of the last row is kept elsewhere (object storage),
so that not even the whole file can be written anew.

`file.Ledger` writes and reads, `outcomes.settle` writes what came of predictions, `verifying.verify` finds every row
that is not as it was written, `days.live_days` hands what counts as evidence to those who judge it. Knows neither
TensorFlow nor TFX.
"""
