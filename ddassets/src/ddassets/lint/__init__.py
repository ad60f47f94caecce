"""Read an integration's assets as a careful reviewer would, and say what cannot work.

`lint` judges one integration; `Emission` tells it what the check really submits.
"""

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.lint.emission import Emission, Emitted
from ddassets.lint.run import Report, lint, lint_paths

__all__ = ['Emission', 'Emitted', 'Diagnostic', 'Report', 'Severity', 'lint', 'lint_paths']
