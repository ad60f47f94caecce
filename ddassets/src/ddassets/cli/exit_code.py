"""Exit codes of every command."""

FINE = 0
#: A finding, a failed expectation, a failed check, or a plan with changes.
FAILED = 1
#: The input or the command line cannot be used.
UNUSABLE = 2
INTERRUPTED = 130
