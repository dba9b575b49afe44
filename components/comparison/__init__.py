"""Formatters and labels side by side on the eval split: which of them a run is made with.

`component.EvalAnswers` asks the models of one combination about the eval split, `choosing.compare` puts all of them on
the same rows and names the best, `results` holds what came of it. Nothing here reads the test split.
"""
