"""What the notebooks share: a finished run is opened, and shown as tables (pandas) and charts (SVG).

run.py finds the run and what it left; data.py reads StatisticsGen's and ExampleValidator's results, and what the models
saw; evaluation.py TFMA's results and the predictions; charts.py draws. The tables and charts need no network and no
extension of Jupyter.
"""
