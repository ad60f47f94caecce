"""A file or folder that may not be read."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/unreadable',
    severity=Severity.ERROR,
    reason='A file or folder of the integration may not be read, or a folder stands where a file is expected.',
    explanation='What is in it cannot be judged. The rest is read.',
    # A folder with the name of a file.
    bad={'assets/monitors/more.json/note.txt': 'not a monitor'},
    good={'assets/monitors/more/note.txt': 'not a monitor'},
    check=reported,
)
