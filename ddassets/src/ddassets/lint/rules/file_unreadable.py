"""A file or folder that cannot be read."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/unreadable',
    severity=Severity.ERROR,
    reason='A file or folder of the integration cannot be read, or is a folder instead of a file.',
    explanation='Its content is not checked. All other files are.',
    # A folder with a file's name.
    bad={'assets/monitors/more.json/note.txt': 'not a monitor'},
    good={'assets/monitors/more/note.txt': 'not a monitor'},
    check=reported,
)
