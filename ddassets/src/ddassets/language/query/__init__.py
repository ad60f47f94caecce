"""The metric query language of dashboards and monitors: `tree` is what a query means, `syntax` reads and prints it."""
