"""Write the JSON Schemas of scenarios and configurations for editors; run it after a change of the keys."""

import json
from pathlib import Path

from ddassets.lint import configuration
from ddassets.rehearsal import keys

FOLDER = Path(__file__).parents[1] / 'src' / 'ddassets' / 'schemas'
SCHEMAS = {'scenario.schema.json': keys.schema, 'configuration.schema.json': configuration.schema}


def text(name: str) -> str:
    return json.dumps(SCHEMAS[name](), indent=2) + '\n'


if __name__ == '__main__':
    for name in SCHEMAS:
        (FOLDER / name).write_text(text(name))
