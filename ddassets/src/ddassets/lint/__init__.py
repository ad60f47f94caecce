"""Check the assets of an integration and report mistakes.

`lint` checks one integration; an `Emission` contains what the check really submits.
"""

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.lint.emission import Emission, Emitted
from ddassets.lint.run import Report, lint, lint_paths

__all__ = ['Emission', 'Emitted', 'Diagnostic', 'Report', 'Severity', 'lint', 'lint_paths']
