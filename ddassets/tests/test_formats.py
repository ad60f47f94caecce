"""One report in every output format: machine-readable output without duplicates, and without markup from messages."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ddassets.diagnostic import Diagnostic, Excerpt, Position, Severity, UnusableInputError
from ddassets.output.formats import names, render
from ddassets.output.report import Case, Report, refusal

HOSTILE = 'a|b `c` <script> *d* @all \x1b[31m \u202e %0A ::error::'
TWICE = [
    Diagnostic(
        'message/x', Severity.WARNING, Path('a.json'), HOSTILE, Position(3, 5), object='M', excerpt=Excerpt('ab', 0, 1)
    ),
    Diagnostic('message/x', Severity.WARNING, Path('a.json'), 'other', Position(3, 9), object='M', hint='do it'),
    Diagnostic('message/x', Severity.ERROR, Path('b.json'), 'other', None),
]


def report(diagnostics=TWICE, cases=()):
    document = {'ok': False, 'text': HOSTILE}
    return Report('lint', 'two lines\nand a | result', document, diagnostics, cases or [Case('a.json', 'x')])


@pytest.mark.parametrize('name', names())
def test_every_format_is_printable_and_ends_its_line(name):
    for written in (
        render(name, report()),
        render(name, refusal(UnusableInputError(HOSTILE, HOSTILE), 'plan', Path('.'))),
    ):
        assert written.endswith('\n')
        assert all(character.isprintable() or character == '\n' for character in written)


def test_formats_are_the_files_of_the_package():
    assert names() == ('text', 'github', 'json', 'junit', 'markdown', 'sarif')


def test_names_in_junit_are_unique():
    cases = [Case('a', 'x', position=Position(1, column)) for column in (2, 2, 3)] + [Case('a', 'x #2'), Case('b', 'x')]
    suites = ElementTree.fromstring(render('junit', report(cases=cases)))
    found = [[case.get('name') for case in suite] for suite in suites]
    assert found == [['x (1:2)', 'x (1:2) #2', 'x (1:3)', 'x #2'], ['x']]


def test_fingerprints_are_independent_of_lines_and_unique_per_finding():
    def fingerprints(diagnostics):
        [run] = json.loads(render('sarif', report(diagnostics)))['runs']
        return [result['partialFingerprints']['ddassets/v1'] for result in run['results']]

    before = fingerprints([*TWICE, TWICE[0]])
    moved = [replace(each, position=Position(9, 1)) for each in [*TWICE, TWICE[0]]]
    assert fingerprints(moved) == before and len(set(before)) == 4


def test_every_rule_of_a_report_in_sarif_has_a_help_page():
    [run] = json.loads(render('sarif', report()))['runs']
    rules = run['tool']['driver']['rules']
    assert [rule['id'] for rule in rules] == ['message/x']
    assert all(rule['helpUri'].startswith('https://') for rule in rules)
    assert run['tool']['driver']['informationUri'].startswith('https://')


def test_markdown_escapes_what_would_be_markup():
    row = next(line for line in render('markdown', report()).splitlines() if 'a.json:3' in line)
    assert row.replace(r'\|', '').count('|') == 4
    assert r'\<script\>' in row and r'\@all' in row and r'\*d\*' in row


def test_the_text_marks_the_position():
    assert 'ab\n' + ' ' * 20 + '^\n' in render('text', report())
