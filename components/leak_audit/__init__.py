"""LeakAudit: says of a run whether its evaluation leaks, from its examples, its transform graph and its models' AUCs.

Each check is one file of checks/, which is all that a new one takes; audit.py makes them in their order.
"""
