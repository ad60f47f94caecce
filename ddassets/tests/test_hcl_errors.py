"""Syntax errors in Terraform files are described without the names of the parser's tokens."""

from pathlib import Path

import pytest

from ddassets.sources.hcl import parse_hcl


@pytest.mark.parametrize(
    ('text', 'line', 'column', 'message'),
    [
        pytest.param('resource "x" "y" (\n a = 1\n)\n', 1, 18, "unexpected '('", id='bracket'),
        pytest.param('resource "x" "y" {\n a = 1\n', 3, 1, "unexpected end of the file; expected '}'", id='not-closed'),
        pytest.param('resource "x" "y" {\n  a = \n}\n', 2, 7, 'unexpected end of the line', id='no-value'),
        pytest.param('resource "x" "y" {\n a = "b\n}\n', 2, 7, 'a text in quotes does not end', id='quote'),
        pytest.param('resource "x" "y" {\n a = 1,\n}\n', 2, 7, "unexpected ','", id='comma'),
        pytest.param('a = [1, 2\nb = 3\n', 2, 1, "unexpected 'b'", id='list'),
        pytest.param('a == 3\n', 1, 3, "unexpected '=='", id='operator'),
        pytest.param('a = 1 @' + 'x' * 99 + '\n', 1, 7, f"unexpected '@{'x' * 38}…'", id='long'),
        pytest.param('a = (\n', 2, 1, 'unexpected end of the file', id='end'),
    ],
)
def test_a_syntax_error_is_described(text, line, column, message):
    problems: list = []
    assert parse_hcl(Path('main.tf'), text, problems) is None
    [problem] = problems
    assert problem.message == f'not HCL: {message}'
    assert (problem.position.line, problem.position.column) == (line, column)
    assert not any(word in problem.message for word in ('Token', 'LPAR', 'STRING_CHARS', '$END'))
