"""Monitors of the later kinds whose timelines were computed by hand: `twins.yaml` has the cases."""

from pathlib import Path

import pytest
import yaml
from estate import EMPTY, START

from ddassets.rehearsal import of_data, rehearse
from ddassets.rehearsal.inbox import Mail, inbox
from ddassets.rehearsal.judgement import Judgement

FILE = Path(__file__).parent / 'twins.yaml'
CASES = yaml.safe_load(FILE.read_text(encoding='utf-8'))


def run(case):
    scenario = {'start': START, 'tick_second': 30, **case['scenario']}
    scenario['monitors'] = [{'message': '@ops@example.com', **monitor} for monitor in scenario['monitors']]
    return rehearse(of_data(scenario, FILE), EMPTY, keep=True)


@pytest.mark.parametrize(
    'case', [pytest.param(case, id=case['id'], marks=pytest.mark.rule(*case['rules'])) for case in CASES]
)
def test_timeline(case):
    rehearsal = run(case)
    assert Judgement(rehearsal).failures == []
    assert [text for one in rehearsal.monitors for text in one.warnings if 'can never hold' in text] == []
    if 'compared' in case:
        mails = [mail for mail in inbox(rehearsal) if isinstance(mail, Mail)]
        found = [f'{mail.notification.value:g} {mail.message.delivery.trigger.brief}' for mail in mails]
        assert found == case['compared']
    if 'warnings' in case:
        assert [text for one in rehearsal.monitors for text in one.warnings] == case['warnings']
