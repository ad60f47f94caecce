"""Each rule against its own examples: the bad one yields its finding and no other, the good one none."""

from pathlib import Path

import pytest

from ddassets import assets as bundle
from ddassets import sources
from ddassets.lint import Emission, lint
from ddassets.lint.example import INTEGRATION, write
from ddassets.lint.pages import page
from ddassets.lint.rules import __path__ as rules_path
from ddassets.lint.rules import all_rules

PAGE = Path(__file__).parents[1] / 'docs' / 'rules.md'
RULES = [pytest.param(rule, id=rule.id) for rule in all_rules().values()]


def emission(rule):
    if rule.emission is None:
        return None
    return Emission.of_samples((name, kind, tags) for name, (kind, tags) in rule.emission.items())


def findings(folder, files, emission=None, file=''):
    path = write(folder, files)
    return lint(sources.read_bundle(path / file) if file else bundle.read(path), emission, strict=True)


def lint_example(folder, files, emission, file=''):
    return [(finding.code, finding.message) for finding in findings(folder, files, emission, file)]


def test_the_example_integration_is_clean(tmp_path):
    assert lint_example(tmp_path, {}, None) == []


@pytest.mark.parametrize('rule', RULES)
def test_bad_example(rule, tmp_path):
    found = lint_example(tmp_path, rule.bad, emission(rule), rule.file)
    assert found
    assert {name for name, _ in found} == {rule.id}, found


@pytest.mark.parametrize('rule', RULES)
def test_good_example(rule, tmp_path):
    assert lint_example(tmp_path, rule.good, emission(rule), rule.file) == []


def test_opinions_are_reported_only_in_the_strict_profile(tmp_path):
    opinions = [rule for rule in all_rules().values() if rule.opinion]
    assert {rule.id for rule in opinions} == {'message/no-recovery-text', 'monitor/no-data-silent'}
    for number, rule in enumerate(opinions):
        assert lint(bundle.read(write(tmp_path / str(number), rule.bad))) == ()


@pytest.mark.parametrize('rule', RULES)
def test_every_finding_has_a_place(rule, tmp_path):
    for finding in findings(tmp_path, rule.bad, emission(rule), rule.file):
        assert finding.path.is_relative_to(tmp_path)
        if finding.position is not None:
            lines = finding.path.read_bytes().decode(errors='replace').splitlines()
            assert finding.position.line <= len(lines)
            assert finding.position.column <= len(lines[finding.position.line - 1])


@pytest.mark.parametrize('rule', RULES)
def test_texts(rule):
    assert rule.id.replace('/', '_').replace('-', '_') in {path.stem for path in Path(rules_path[0]).glob('*.py')}
    assert rule.reason.endswith('.') and '\n' not in rule.reason and len(rule.reason) <= 120
    assert rule.explanation.endswith(('.', '`', ')')) and rule.explanation != rule.reason


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), f'ddassets explain --all > {PAGE}'


def test_the_client_accepts_the_example_integration():
    assert {'manifest.json', 'metadata.csv'} < INTEGRATION.keys()
