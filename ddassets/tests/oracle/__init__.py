"""A second evaluator: slow, simple, point by point, written only from the rules. If it and ddassets differ, one has a
bug.
"""
