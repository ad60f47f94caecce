"""Faults of every rule, planted in clean integrations of other dialects: a small part of benchmarks/lint_quality.py."""

from collections import Counter

import faults
import planting
import pytest

from ddassets.diagnostic import Severity
from ddassets.lint.rules import all_rules

INTEGRATIONS = planting.integrations()
# Each rule in another integration, so that every dialect meets every group of rules.
RULES = [
    pytest.param(rule, INTEGRATIONS[number % len(INTEGRATIONS)], id=rule.id)
    for number, rule in enumerate(all_rules().values())
]


def codes(folder, planted, rule=None):
    return Counter(finding.code for finding in planting.findings(folder, planted, rule))


def test_there_are_twenty_integrations_in_five_dialects():
    assert Counter(each.dialect for each in INTEGRATIONS) == dict.fromkeys(planting.DIALECTS, 4)
    assert len({each.name for each in INTEGRATIONS}) == 20


@pytest.mark.parametrize('clean', [pytest.param(each, id=f'{each.dialect}-{each.name}') for each in INTEGRATIONS])
def test_a_clean_integration_has_no_findings(clean, tmp_path):
    assert codes(tmp_path, clean) == {}


@pytest.mark.parametrize(('rule', 'into'), RULES)
def test_a_planted_fault_is_found(rule, into, tmp_path):
    assert rule.id in codes(tmp_path / 'example', planting.transplants(rule, False, into), rule)
    for number, planted in enumerate(faults.damaged(rule.id, into, seed=1)):
        assert rule.id in codes(tmp_path / str(number), planted, rule), number


@pytest.mark.parametrize(('rule', 'into'), RULES)
def test_a_near_case_has_no_finding(rule, into, tmp_path):
    found = planting.findings(tmp_path, planting.transplants(rule, True, into), rule)
    assert [one for one in found if one.code == rule.id or planting.is_serious(one)] == []


def test_faults_are_of_rules_that_exist():
    assert faults.FAULTS.keys() < all_rules().keys()


@pytest.mark.parametrize('into', [pytest.param(each, id=each.dialect) for each in INTEGRATIONS[:5]])
def test_a_metric_that_is_one_letter_off_is_an_error(into, tmp_path):
    changed, wrong = faults.misspellings(into, seed=1)
    found = planting.findings(tmp_path, changed)
    errors = {one.object for one in found if one.code == 'metric/unknown' and one.severity is Severity.ERROR}
    assert len(wrong) > 30
    assert len(errors & wrong.keys()) / len(wrong) >= 0.98, wrong.keys() - errors


def test_canary_a_fault_that_is_not_planted_is_not_found(tmp_path):
    """Findings are counted by the planted faults, not by the integration."""
    rule = all_rules()['metric/unknown']
    (planted,) = faults.damaged(rule.id, INTEGRATIONS[0], seed=1)
    assert planted.files != INTEGRATIONS[0].files
    assert rule.id not in codes(tmp_path, INTEGRATIONS[0], rule)
