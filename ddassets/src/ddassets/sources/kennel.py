"""The files that kennel generates: API bodies with `api_resource`, whose queries may name monitors by kennel's ids."""

import os
import re
from pathlib import Path
from typing import Any

from ddassets.assets.source import Place
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Severity
from ddassets.sources.model import Form, Inventory, Kind

MANAGER = 'kennel'
_KINDS: dict[str, Kind] = {'monitor': 'monitor', 'dashboard': 'dashboard', 'slo': 'slo'}
_REFERENCE = re.compile(r'%\{[^}]+\}')


def is_generated(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get('api_resource'), str)


def _read(base: Base, inventory: Inventory) -> None:
    resource = base.data['api_resource']
    kind = _KINDS.get(resource)
    if kind is None:
        inventory.report('unread', Severity.NOTE, f'{resource} is not read', base.position(('api_resource',)))
        return
    body = {key: value for key, value in base.data.items() if key != 'api_resource'}
    withheld: dict[Place, str] = {}
    key = 'query' if kind == 'monitor' else 'monitor_ids'
    references = _REFERENCE.findall(str(body.get(key) or ''))
    if references:
        withheld[(key,)] = f'kennel resolves {", ".join(dict.fromkeys(references))}'
        inventory.report(
            'withheld',
            Severity.NOTE,
            f'{key} is not known here and not judged: {withheld[(key,)]}',
            base.position((key,)),
            object=str(body.get('name') or ''),
        )
    # The project and the id that kennel tracks the object by are the names of the folder and the file.
    path = Path(os.path.abspath(base.path))
    address = f'{path.parent.name}:{path.stem}'
    inventory.add(kind, base, (), body, withheld=withheld, address=address, manager=MANAGER)


FORMS = (Form('file that kennel generated', is_generated, _read),)
