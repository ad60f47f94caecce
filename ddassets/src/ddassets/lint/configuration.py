"""`.ddassets.yaml`: findings to ignore, and metrics that come from other integrations.

The file is in an integration's folder, or in a folder above it for all integrations of a checkout. An ignore for one
asset may be in a file beside it: `queue.ddassets.yaml` beside `queue.json`, because JSON has no comments.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddassets import boundary
from ddassets.assets.document import read_bytes
from ddassets.diagnostic import Diagnostic, Position, UnusableInputError
from ddassets.keys import TEXT, Key, Keys, document, list_of
from ddassets.nearest import did_you_mean

if TYPE_CHECKING:
    import yaml

# Also the end of the name of a configuration beside an asset: spool.ddassets.yaml beside spool.json.
FILE_NAME = '.ddassets.yaml'


IGNORE = Keys(
    (
        Key('rule', TEXT, 'the rule, such as metric/unknown, or a family: message/*'),
        Key('file', TEXT, 'only in this file, relative to the configuration; may contain *'),
        Key('object', TEXT, 'only for this monitor, widget, variable or metric'),
        Key('reason', TEXT, 'why the finding is ignored'),
    ),
    required=('rule',),
)
CONFIGURATION = Keys(
    (
        Key('companions', list_of(TEXT), 'metrics of other integrations; may contain *'),
        Key('ignore', list_of(IGNORE.schema), 'findings to ignore'),
    )
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `.ddassets.yaml`."""
    return document('The configuration of ddassets lint', CONFIGURATION.schema)


@dataclass(frozen=True, eq=False)
class Ignore:
    """An entry of `ignore`. `rule` and `file` may be patterns with `*`: `message/*`, `assets/monitors/*.json`.

    `file` is relative to the folder of the configuration.
    """

    rule: str
    file: str | None
    object: str | None
    reason: str
    position: Position

    def names(self, rule: str) -> bool:
        """Whether the entry applies to a rule."""
        return fnmatchcase(rule, self.rule)

    def matches(self, finding: Diagnostic, folder: Path) -> bool:
        if not self.names(finding.code) or (self.object is not None and finding.object != self.object):
            return False
        if self.file is None:
            return True
        return finding.path.is_relative_to(folder) and fnmatchcase(
            finding.path.relative_to(folder).as_posix(), self.file
        )


@dataclass(frozen=True)
class Configuration:
    """A configuration file. `companions` are metrics that the assets may use: names, or patterns with `*`."""

    path: Path
    ignores: tuple[Ignore, ...] = ()
    companions: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.path.parent


@dataclass(frozen=True)
class ConfigurationUse:
    """A configuration after the run: the ignores that matched a finding, and the rules that could not run."""

    configuration: Configuration
    used: frozenset[Ignore]
    silent: Collection[str]


def read(path: Path, rules: Callable[[], Collection[str]]) -> Configuration | None:
    """Read a configuration; None if the file does not exist. `rules` returns the ids that `ignore` may name.

    Raises UnusableInputError with line and column if the configuration is invalid.
    """
    return _read(path, rules, None)


def read_beside(folder: Path, rules: Callable[[], Collection[str]]) -> Iterator[Configuration]:
    """Read the configurations beside the assets of the integration at `folder`."""
    parent = folder / 'assets'
    kinds = (kind for kind in parent.glob('*') if boundary.is_inside(kind)) if boundary.is_inside(parent) else ()
    for path in sorted(path for kind in kinds for path in kind.glob(f'*{FILE_NAME}')):
        asset = path.name.removesuffix(FILE_NAME) + '.json'
        if path.name != FILE_NAME and (configuration := _read(path, rules, asset)):
            yield configuration


def _read(path: Path, rules: Callable[[], Collection[str]], asset: str | None) -> Configuration | None:
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableInputError(f'{path}: cannot be read: {error.strerror}') from error
    import yaml

    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f'{path}:{mark.line + 1}:{mark.column + 1}' if mark else str(path)
        raise UnusableInputError(f'{where}: invalid YAML: {error.problem}') from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UnusableInputError(f'{path}: invalid YAML: {str(error).splitlines()[0]}') from error
    return _Reader(path, rules, asset).configuration(node)


@dataclass(frozen=True)
class _Reader:
    path: Path
    rules: Callable[[], Collection[str]]
    asset: str | None

    def refuse(self, node: 'yaml.Node', message: str) -> UnusableInputError:
        position = _position(node)
        return UnusableInputError(f'{self.path}:{position.line}:{position.column}: {message}')

    def configuration(self, node: 'yaml.Node | None') -> Configuration:
        if node is None:
            return Configuration(self.path)
        keys = CONFIGURATION.names if self.asset is None else ('ignore',)
        fields = self.mapping(node, keys)
        return Configuration(
            path=self.path,
            ignores=tuple(self.ignore(item) for item in self.sequence(fields.get('ignore'), 'ignore')),
            companions=tuple(
                self.text(item, 'companions') for item in self.sequence(fields.get('companions'), 'companions')
            ),
        )

    def ignore(self, node: 'yaml.Node') -> Ignore:
        keys = [key for key in IGNORE.names if self.asset is None or key != 'file']
        fields = self.mapping(node, keys)
        if 'rule' not in fields:
            raise self.refuse(node, 'an entry of ignore requires the key rule')
        texts = {key: self.text(value, key) for key, value in fields.items()}
        rule = texts['rule']
        rules = self.rules()
        if not any(fnmatchcase(known, rule) for known in rules):
            close = did_you_mean(rule, {*rules, *(f'{known.partition("/")[0]}/*' for known in rules)})
            raise self.refuse(fields['rule'], f'there is no rule {rule!r}{close}; `ddassets rules` lists them')
        return Ignore(
            rule=rule,
            file=self.asset or texts.get('file'),
            object=texts.get('object'),
            reason=texts.get('reason', '').strip(),
            position=_position(node),
        )

    def mapping(self, node: 'yaml.Node', allowed: Collection[str]) -> Mapping[str, Any]:
        import yaml

        if not isinstance(node, yaml.MappingNode):
            raise self.refuse(node, f'expected a mapping with the keys {", ".join(allowed)}')
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in allowed:
                near = did_you_mean(name, allowed)
                raise self.refuse(key, f'unknown key {name!r}{near}; allowed: {", ".join(allowed)}')
            if name in fields:
                raise self.refuse(key, f'the key {name!r} is duplicated')
            fields[name] = value
        return fields

    def sequence(self, node: 'yaml.Node | None', key: str) -> list[Any]:
        import yaml

        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(':null')):
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.refuse(node, f'{key}: expected a list')
        return list(node.value)

    def text(self, node: 'yaml.Node', key: str) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            raise self.refuse(node, f'{key}: expected a text')
        return '' if node.tag.endswith(':null') else str(node.value)


def _position(node: 'yaml.Node') -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
