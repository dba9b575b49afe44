"""`awesome daily`: what is done after every session, part by part; loop.py reads like the list of them.

`day.py` is what the parts share, each part has its file, `report.py` says what they did, `alerts.py` tells somebody.
A day on which nothing is retrained imports no TensorFlow.
"""
