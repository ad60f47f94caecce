"""Writers of diagnostics and results."""
