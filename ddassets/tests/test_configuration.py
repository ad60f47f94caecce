from pathlib import Path

import pytest
import yaml

from ddassets.agent import agent_yaml, conf_files
from ddassets.agent.configuration import Schedule, read_schedules, uncomment, unknown_keys
from ddassets.diagnostic import UnusableInputError

NO_KEY = "the Agent's default, because the instance has no min_collection_interval"


CASES = yaml.safe_load(Path(__file__).with_name('agent').joinpath('configurations.yaml').read_text('utf-8'))
CONFIGURATIONS = [pytest.param(case, id=f'agent-7.82.1-{case["id"]}') for case in CASES['configurations']]
REFUSED = {'not_loaded': 'the Agent does not load the', 'file_refused': 'the Agent refuses the file'}


def test_all_configurations_are_there():
    assert len(CONFIGURATIONS) == 25


@pytest.mark.parametrize('case', CONFIGURATIONS)
def test_a_configuration_is_read_as_the_agent_read_it(case, tmp_path):
    path = tmp_path / 'conf.yaml'
    path.write_text(case['conf_yaml'])
    if case['result'] in REFUSED:
        with pytest.raises(UnusableInputError, match=REFUSED[case['result']]):
            read_schedules(path, 'conf.yaml')
        return
    [schedule] = read_schedules(path, 'conf.yaml')
    if case['result'] == 'collector_hangs':
        assert 'overflows: Agent 7.82.1 started no check' in schedule.warning
        return
    assert (schedule.interval, schedule.warning) == (case['interval'], '')


@pytest.mark.parametrize(
    ('text', 'handed_over'),
    [
        pytest.param('min_collection_interval: 7.0', {'min_collection_interval': 7}, id='whole-float'),
        pytest.param('min_collection_interval: 1e1', {'min_collection_interval': 10}, id='exponent'),
        pytest.param('{flag: yes, oct: 010}', {'flag': True, 'oct': 8}, id='yaml-1.1'),
        pytest.param(
            '{time: 1:30, day: 2027-01-04, v: 1.2.3}', {'time': '1:30', 'day': '2027-01-04', 'v': '1.2.3'}, id='text'
        ),
        pytest.param(
            '{a: 1_5, b: 0x7, c: 0b11, d: 0o17, e: -4, f: +2}',
            {'a': 15, 'b': 7, 'c': 3, 'd': 15, 'e': -4, 'f': 2},
            id='integers',
        ),
        pytest.param('{a: 08, b: 7.5, c: .5, d: 1.5e3}', {'a': 8, 'b': 7.5, 'c': 0.5, 'd': 1500}, id='floats'),
        pytest.param('{a: "7", b: ~, c: -, d: .}', {'a': '7', 'b': None, 'c': '-', 'd': '.'}, id='no-numbers'),
    ],
)
def test_the_configuration_that_the_check_receives(text, handed_over):
    """Also after it was written for the Python side, whose parser reads numbers differently."""
    # As text: 7.0 and 7 are equal to Python.
    assert repr(agent_yaml.as_handed_over(agent_yaml.load(text))) == repr(handed_over)
    assert repr(yaml.safe_load(agent_yaml.dump(agent_yaml.load(text)))) == repr(handed_over)


def test_infinities_are_numbers():
    assert agent_yaml.load('[.inf, -.Inf]') == [float('inf'), float('-inf')]
    assert agent_yaml.load('.nan') != agent_yaml.load('.nan')


@pytest.mark.parametrize(
    ('text', 'sentences'),
    [
        pytest.param('{init_config: , instances: [{}], foo: bar}', ["the key 'foo' and ignores it"], id='unknown'),
        pytest.param('{instance: [{}]}', ["did you mean instances?"], id='nearest'),
        pytest.param('{init_config: , instances: [{}], logs: [], cluster_check: true}', [], id='known'),
    ],
)
def test_unknown_keys(text, sentences):
    found = unknown_keys(agent_yaml.load(text))
    assert len(found) == len(sentences)
    assert all(sentence in said for sentence, said in zip(sentences, found, strict=True))


@pytest.mark.parametrize('key', [pytest.param(key, id=key) for key in ('ad_identifiers', 'advanced_ad_identifiers')])
def test_an_autodiscovery_template_waits_for_a_container(tmp_path, key):
    path = tmp_path / 'conf.yaml'
    path.write_text(f'{key}: [web]\ninit_config:\ninstances:\n  - host: "%%host%%"\n')
    with pytest.raises(UnusableInputError, match=f'conf.yaml: {key}: this is an Autodiscovery template'):
        read_schedules(path, 'conf.yaml')
    path.write_text(f'{key}: []\ninstances: [{{}}]\n')
    assert [schedule.interval for schedule in read_schedules(path, 'conf.yaml')] == [15]


def test_missing_example(tmp_path):
    (tmp_path / 'other.yaml.example').touch()
    with pytest.raises(UnusableInputError, match=r'it has: other\.yaml\.example'):
        conf_files.enable(tmp_path, None)


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
            [Schedule(15, "the Agent's default, because min_collection_interval: 0 of the instance is not 1 or more")],
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
        pytest.param(
            'instance: [{}]', 'instances: expected a list .* but it is missing; found the keys: instance', id='misspelt'
        ),
        pytest.param('instances:', 'instances: expected a list .* found nothing', id='null'),
        pytest.param('instances: []', 'found an empty list', id='no-instance'),
        pytest.param('instances: {a: b}', 'found a mapping', id='mapping'),
        pytest.param('instances: [{}, text]', r'instances\[1\]: expected a mapping, found a text', id='text-instance'),
        pytest.param('init_config: [1]\ninstances: [{}]', 'init_config: expected a mapping', id='init_config'),
        pytest.param(
            'instances: [{min_collection_interval: "45"}]',
            "found '45'; the Agent does not load the instance",
            id='text',
        ),
        pytest.param(
            'instances: [{min_collection_interval: yes}]',
            'found True; the Agent does not load the instance',
            id='boolean',
        ),
        pytest.param('instances: [{min_collection_interval: 1e30}]', 'does not fit 64 bits', id='too-big'),
        pytest.param('instances: [{min_collection_interval: .nan}]', 'does not fit 64 bits', id='nan'),
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
def test_options_are_uncommented(names, added):
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
        pytest.param('limit', "example: no option 'limit' in a comment; did you mean limits?", id='nearest'),
        pytest.param('url', 'available: service, limits, depth$', id='not-in-a-comment'),
    ],
)
def test_an_option_that_is_not_shown(name, message):
    with pytest.raises(UnusableInputError, match=message):
        uncomment(EXAMPLE, [name], 'example')
