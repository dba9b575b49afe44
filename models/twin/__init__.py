"""A model's twin: the same answers without TensorFlow, whose import takes most of a short command's time.

`models/twin_export.py` makes it of a trained model, beside whose SavedModel it lies; `proving.py` compares the two.

Example:
    >>> from models.twin.forecasting import load_twin
    >>> twin = load_twin(Path("runs/serving/awesome-window_returns-h1/1"))  # doctest: +SKIP
    >>> twin.forecast(["AAPL", "MSFT"], closes)  # doctest: +SKIP
    array([0.5071, 0.4986], dtype=float32)
"""
