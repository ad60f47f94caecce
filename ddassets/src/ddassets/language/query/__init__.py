"""The metric query language: `tree` contains the nodes, `syntax` parses, `printing` prints."""
