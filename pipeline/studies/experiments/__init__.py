"""The original project's experiments, repeated under its shuffled split and under one by date: `awesome experiments`.

A pipeline never shuffles rows into a split, so this runs outside of it, in memory, on the pipeline's own rows, labels,
features and models. `run.run_experiments` does the job, `catalogue` names what is trained, `original` holds the figures
that the original project reported.
"""
