"""LeakAudit: says of a run whether its evaluation leaks, from its examples, its transform graph and its models' AUCs.

audit.py lists the checks in their order; each stands in a file of its own.
"""
