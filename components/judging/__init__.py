"""Anybody's forecasts before the court of a run's models: read from a file, put beside what happened, and baselines.

`forecast_columns.py` says which column is what, `forecast_file.py` reads the rows, `forecasts.py` holds them and why
some are left out, `outcomes.py` looks up what happened, `share_names.py` says which share an unknown name may mean,
`baselines.py` what would have been forecast without any model.
Knows neither TensorFlow nor TFX.
"""
