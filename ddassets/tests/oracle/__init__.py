"""A second evaluator: slow, plain, point by point, from the rules alone. What it and ddassets disagree on is a bug."""
