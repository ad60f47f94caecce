"""The parser's tables are kept beside the bytecode: the parser from the file is the one from the grammar."""

import sys

import pytest

from ddassets.language.query import syntax

GOOD = 'avg(last_5m):100 * sum:a.b{env:prod AND (host:x OR host:y)} by {host}.as_count() / default_zero(sum:c{*}) > 3'
BAD = 'avg(last_5m):avg:a.b{env:prod} bye {host} > 3'


def _parsed() -> tuple[object, str]:
    # Without what the process remembers.
    syntax._parser.cache_clear()
    good = syntax.parse_monitor.__wrapped__(GOOD)
    with pytest.raises(syntax.QuerySyntaxError) as error:
        syntax.parse_monitor.__wrapped__(BAD)
    return good, str(error.value)


@pytest.fixture(autouse=True)
def _forget():
    yield
    syntax._parser.cache_clear()


def test_the_parser_from_the_file_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(syntax, '_tables', lambda: False)
    expected = _parsed()
    file = tmp_path / 'tables'
    monkeypatch.setattr(syntax, '_tables', lambda: str(file))
    assert _parsed() == expected
    kept = file.read_bytes()
    for broken in (kept, b'', kept[:200], kept[:-50], b'0' * 64 + kept[64:]):
        file.write_bytes(broken)
        assert _parsed() == expected
        with monkeypatch.context() as patch:
            # Nothing but the file is left to read from.
            patch.setattr('lark.lark.load_grammar', None)
            assert _parsed() == expected


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(syntax, '_tables', lambda: str(tmp_path / 'no such folder' / 'tables'))
    assert _parsed()[0] == syntax.parse_monitor(GOOD)
    assert capfd.readouterr() == ('', '')


def test_they_lie_where_bytecode_may(monkeypatch):
    monkeypatch.setattr(sys, 'dont_write_bytecode', True)
    assert syntax._tables() is False
    monkeypatch.setattr(sys, 'dont_write_bytecode', False)
    assert '__pycache__' in str(syntax._tables())
