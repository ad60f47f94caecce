import pytest
import yaml

from ddassets.agent.configuration import (
    Schedule,
    copied_files,
    copy_configuration,
    enable_configuration,
    read_schedules,
    self_loading_files,
    uncomment,
)
from ddassets.diagnostic import UnusableInputError

NO_KEY = "the Agent's default, because the instance has no min_collection_interval"


def test_copied_files_follow_the_agents_expression():
    names = [
        'conf.yaml.example',
        'mysql.yaml.example',
        'auto_conf.yaml',
        'conf.yml',
        'README.md',
        '.yaml',
        'a.yaml.b',
    ]
    assert copied_files(names) == ['a.yaml.b', 'auto_conf.yaml', 'conf.yaml.example', 'mysql.yaml.example']


def test_self_loading_files():
    names = ['conf.yaml', 'conf.yaml.default', 'auto_conf.yaml', 'conf.yaml.example', 'mysql.yaml.example']
    assert self_loading_files(names) == ['auto_conf.yaml', 'conf.yaml', 'conf.yaml.default']


def test_configuration_is_copied_with_a_warning_for_what_loads_itself(tmp_path):
    data = tmp_path / 'probe' / 'data'
    data.mkdir(parents=True)
    for name in ('conf.yaml.example', 'auto_conf.yaml', 'picture.png'):
        (data / name).write_text(name)
    target = tmp_path / 'conf.d' / 'probe.d'
    warnings = copy_configuration(data, target)
    assert sorted(entry.name for entry in target.iterdir()) == ['auto_conf.yaml', 'conf.yaml.example']
    assert [warning.split(':')[0] for warning in warnings] == ['data/auto_conf.yaml']
    assert enable_configuration(target, None).read_text() == 'conf.yaml.example'


def test_missing_data_folder(tmp_path):
    with pytest.raises(UnusableInputError, match='datadog_checks/probe/data'):
        copy_configuration(tmp_path / 'probe' / 'data', tmp_path / 'conf.d')


def test_missing_example(tmp_path):
    (tmp_path / 'other.yaml.example').touch()
    with pytest.raises(UnusableInputError, match=r'it has: other\.yaml\.example'):
        enable_configuration(tmp_path, None)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        pytest.param('instances: [{}]', [Schedule(15, NO_KEY)], id='default'),
        pytest.param('instances:\n  -\n', [Schedule(15, NO_KEY)], id='null-instance'),
        pytest.param(
            'init_config: {min_collection_interval: 45}\ninstances: [{}]',
            [Schedule(15, NO_KEY)],
            id='init_config-is-not-consulted',
        ),
        pytest.param(
            'instances: [{min_collection_interval: 45}, {}]',
            [Schedule(45, 'min_collection_interval of the instance'), Schedule(15, NO_KEY)],
            id='each-instance-its-own',
        ),
        pytest.param(
            'instances: [{min_collection_interval: 0}]',
            [Schedule(15, "the Agent's default, because min_collection_interval: 0 of the instance is not above 0")],
            id='zero',
        ),
    ],
)
def test_schedules(tmp_path, text, expected):
    path = tmp_path / 'conf.yaml'
    path.write_text(text)
    assert read_schedules(path, 'conf.yaml') == expected


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        pytest.param('instances: [\n  {a: b\n', 'conf.yaml, line 3, column 1: invalid YAML', id='syntax'),
        pytest.param('instances:\n\t- a: b\n', 'conf.yaml, line 2, column 1: invalid YAML', id='tab'),
        pytest.param('a: \x00', 'conf.yaml: invalid YAML', id='control-character'),
        pytest.param('', 'conf.yaml: expected a mapping', id='empty'),
        pytest.param('- a', 'found a list', id='list'),
        pytest.param('instance: [{}]', r'no list "instances" \(found: instance\)', id='misspelt'),
        pytest.param('instances:', 'instances: expected a list .* found nothing', id='null'),
        pytest.param('instances: []', 'found an empty list', id='no-instance'),
        pytest.param('instances: {a: b}', 'found a mapping', id='mapping'),
        pytest.param('instances: [{}, text]', r'instances\[1\]: expected a mapping, found a text', id='text-instance'),
        pytest.param('init_config: [1]\ninstances: [{}]', 'init_config: expected a mapping', id='init_config'),
        pytest.param(
            'instances: [{min_collection_interval: 45.5}]',
            'found 45.5; the Agent schedules by whole seconds',
            id='float',
        ),
        pytest.param(
            'instances: [{min_collection_interval: "45"}]',
            "found '45'; the Agent schedules by whole seconds",
            id='text',
        ),
        pytest.param(
            'instances: [{min_collection_interval: yes}]',
            'found True; the Agent schedules by whole seconds',
            id='boolean',
        ),
    ],
)
def test_unusable_configuration(tmp_path, text, message):
    path = tmp_path / 'conf.yaml'
    path.write_text(text)
    with pytest.raises(UnusableInputError, match=message):
        read_schedules(path, 'conf.yaml')


def test_configuration_that_is_not_utf_8(tmp_path):
    path = tmp_path / 'conf.yaml'
    path.write_bytes(b'instances: [{a: "\xff"}]')
    with pytest.raises(UnusableInputError, match='conf.yaml: invalid YAML'):
        read_schedules(path, 'conf.yaml')


EXAMPLE = """\
init_config:

    ## @param service - string - optional
    #
    # service: shared

instances:

    ## @param url - string - required
    #
  - url: http://localhost

    ## @param service - string - optional
    ## A sentence with `depth: 3` in it.
    #
    # service: web

    ## @param limits - mapping - optional
    #
    # limits:
    #   - depth: 3
    #     name: deep
    #
    #   - depth: 4

    ## @param depth - number - optional
    #
    # depth: 1
"""


@pytest.mark.parametrize(
    ('names', 'added'),
    [
        pytest.param([], {}, id='none'),
        pytest.param(['service'], {'service': 'web'}, id='of-the-instance'),
        pytest.param(['limits', 'depth'], {'limits': [{'depth': 3, 'name': 'deep'}], 'depth': 1}, id='blocks'),
    ],
)
def test_options_lose_their_comment_signs(names, added):
    document = yaml.safe_load(uncomment(EXAMPLE, names, 'example'))
    assert document == {'init_config': None, 'instances': [{'url': 'http://localhost', **added}]}


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('instances: [', id='no-last-line-end'),
        pytest.param('instances: []\n', id='plain'),
        pytest.param('instances: []\r\n# a: 1\r\n', id='other-line-ends'),
    ],
)
def test_without_options_nothing_changes(text):
    assert uncomment(text, [], 'example') == text


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        pytest.param('limit', "example: shows no option 'limit' in a comment; did you mean 'limits'?", id='nearest'),
        pytest.param('url', 'it shows: service, limits, depth$', id='not-in-a-comment'),
    ],
)
def test_an_option_that_is_not_shown(name, message):
    with pytest.raises(UnusableInputError, match=message):
        uncomment(EXAMPLE, [name], 'example')
