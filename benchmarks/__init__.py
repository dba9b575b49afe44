"""What the project claims about its skill, speed and memory, measured: one command for each claim.

Every benchmark prints a table and writes its figures to `benchmarks/results/NAME.json` (see `benchmarks.measure`).
"""
