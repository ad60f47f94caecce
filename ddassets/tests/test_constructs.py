"""One set of monitors holds every rule of composites, checks, counted events, functions and routing."""

import json
import re

import loopback.trial
import pytest
import semantics
from constructs import BODY, SCENARIO, constructs, outcomes, run, write

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.rehearsal.auto.estate import survey_paths

MONITORS, REFUSED = (constructs()[key] for key in ('monitors', 'refused'))
SECTIONS = ('13.', '14.', '15.', '20.', 'C')
# The order in which composites are applied is nothing that a rehearsal shows: the last test holds it.
APPLIED = {'13.22'}


@pytest.fixture(scope='module')
def bundle(tmp_path_factory):
    return write(tmp_path_factory.mktemp('acme'))


def test_every_evaluated_rule_has_a_monitor():
    asked = {number for number, (status, _) in semantics.RULES.items() if status == semantics.IMPLEMENTED}
    held = {number for construct in MONITORS for number in construct.rules}
    assert sorted(number for number in asked - held - APPLIED if number.startswith(SECTIONS)) == []
    assert sorted(held - asked) == []


def test_every_refused_rule_has_a_refusal():
    refused = {number for number, (status, _) in semantics.RULES.items() if status == semantics.REFUSED}
    held = {number for construct in REFUSED for number in construct.rules}
    assert sorted(number for number in refused - held if number.startswith(SECTIONS)) == []


def test_no_construct_has_an_unknown_key():
    read = {*BODY, *SCENARIO, 'rules', 'rule', 'signal', 'states', 'told', 'told_beside', 'texts', 'warns', 'says'}
    found = {key for construct in (*MONITORS, *REFUSED) for key in construct.data}
    assert sorted(found - read - {'depends', 'beside'}) == []


def test_every_monitor_has_its_own_name():
    assert len({construct.name for construct in MONITORS}) == len(MONITORS) >= 60


@pytest.mark.parametrize('construct', MONITORS, ids=lambda construct: construct.name)
def test_results_of_a_signal(construct, bundle):
    expected = construct.data
    rehearsal = run(construct, bundle, [construct.name, *expected.get('beside', ())])
    found = outcomes(rehearsal)
    own = found[construct.name]
    assert own.states == expected['states']
    assert own.told == expected['told']
    assert own.texts == expected.get('texts', own.texts)
    assert [one.told for name, one in found.items() if name != construct.name] == [
        expected['told_beside'] for _ in expected.get('beside', ())
    ]
    for warning in expected.get('warns', ()):
        assert any(re.search(warning, one) for one in own.warnings), own.warnings


OPEN = [f'A{number}' for number in (*range(36, 52), *range(74, 86), 95)] + ['I6']
CHOSEN = [
    (construct, name, choice)
    for construct in MONITORS
    for name in construct.data.get('depends', ())
    for choice in ASSUMPTIONS[name].alternatives
]


def test_every_open_question_of_the_sections_is_decided_by_a_monitor():
    # One has no effect unless it is switched: a monitor switches it, and the refusals hold its default.
    decided = {name for construct in MONITORS for name in (*construct.data.get('depends', ()), *construct.switched)}
    assert [
        name for name in OPEN if name in ASSUMPTIONS and ASSUMPTIONS[name].alternatives and name not in decided
    ] == []


@pytest.mark.parametrize(
    ('construct', 'name', 'choice'), CHOSEN, ids=[f'{name}: {choice}: {one.name}' for one, name, choice in CHOSEN]
)
def test_another_choice_changes_what_comes_of_it(construct, name, choice, bundle):
    other = outcomes(run(construct, bundle, [construct.name], {name: choice}))[construct.name]
    expected = construct.data
    assert (other.states, other.told, other.texts) != (
        expected['states'],
        expected['told'],
        expected.get('texts', other.texts),
    )


@pytest.mark.parametrize('construct', REFUSED, ids=lambda construct: construct.name)
def test_refusals_name_the_construct(construct, bundle):
    monitors = [MONITORS[0].name] if 'rule' in construct.data else [construct.body]
    with pytest.raises(UnusableInputError) as caught:
        run(construct, bundle, monitors)
    assert re.search(construct.data['says'], f'{caught.value} {caught.value.details or ""}', re.S)


@pytest.mark.rule('13.22')
def test_composites_are_created_after_their_members_and_deleted_before_them(datadog, tmp_path):
    # The names sort the composites before their members. One whose members are ids of elsewhere is left out.
    bodies = [one.body for one in reversed(MONITORS) if not re.search(r'\b\d{4}\b', one.data['query'])]
    monitors = tmp_path / 'assets' / 'monitors'
    monitors.mkdir(parents=True)
    for number, body in enumerate(bodies):
        (monitors / f'{number:02}.json').write_text(json.dumps(body))
    outcome = loopback.trial.run(datadog, 'apply', tmp_path, '--yes')
    assert outcome.code == 0, outcome.said
    stored = {one['name']: one for one in datadog.organisation.monitors.values()}
    assert len(stored) == len(bodies)
    both = stored['Backlog without workers']['query']
    assert both == f'{stored["Backlog is held"]["id"]} && {stored["Workers answer"]["id"]}'
    outcome = loopback.trial.run(datadog, 'destroy', tmp_path, '--yes')
    assert outcome.code == 0, outcome.said
    assert datadog.organisation.monitors == {}


def test_a_survey_finds_every_state_that_a_signal_of_the_set_brings(bundle):
    """What `--auto` says to be impossible, no signal may show."""
    words = {'Alert': 'alert', 'Warn': 'warn', 'No Data': 'no_data'}
    shown = {
        construct.name: {word for word in words if word in ' '.join(construct.data['states'].values())}
        for construct in MONITORS
    }
    surveys = survey_paths([bundle.folder]).surveys
    assert len(surveys) == len(MONITORS)
    missed = [
        (survey.name, word)
        for survey in surveys
        if not survey.unsupported
        for word in sorted(shown[survey.name])
        if getattr(survey, words[word]).answer == 'no'
    ]
    # The values of a host and a service are equal there, which the survey names as the condition.
    assert missed == [('Host and service of one name', 'Alert')]
