"""How diagnostics and results are written."""
