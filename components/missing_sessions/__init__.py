"""Sessions that shares lack between their first and their last price, and what is left out of a run for them.

`finding` compares the days of shares with their exchange's calendar where the exchange is known, else with the other
shares of the same database; `found` is what it finds. Knows neither TensorFlow nor TFX.
"""
