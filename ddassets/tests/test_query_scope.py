"""The series that a scope matches, and the effect of narrowing."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddassets.language.query.products import recognise
from ddassets.language.query.scope import keys, matches, narrow
from ddassets.language.query.syntax import parse_formula, parse_monitor, parse_query, render

TAGS = frozenset({'host:web-1', 'env:prod', 'zone:eu:a', 'staging', 'name:two words'})


def scope(text):
    return parse_query(f'avg:x{{{text}}}').scope


@pytest.mark.rule('1.5', '1.6')
@pytest.mark.parametrize(
    'text, expected',
    [
        ('*', True),
        ('', True),
        ('host:web-1', True),
        ('host:web', False),
        ('host:WEB-1', False),
        ('host:web-1,env:prod', True),
        ('host:web-1,env:dev', False),
        ('!env:dev', True),
        ('!env:prod', False),
        ('!region:eu', True),
        ('!!env:prod', True),
        ('!(host:web-1,env:dev)', True),
        ('staging', True),
        ('stag*', True),
        ('production', False),
        ('prod', False),
        ('zone:eu:a', True),
        ('zone:*a', True),
        ('host:web-*', True),
        ('host:*-1', True),
        ('host:*eb*', True),
        ('host:w*1', True),
        ('host:w*2', False),
        ('host:*', True),
        ('region:*', False),
        ('host:web-1*', True),
        ('host:*web-1', True),
        ('host:we.-1', False),
        ('name:"two words"', True),
        ('*,env:prod', True),
        ('host:web-1 AND env:prod', True),
        ('host:web-2 OR env:prod', True),
        ('host:web-2 OR env:dev', False),
        ('NOT env:dev', True),
        ('NOT (env:dev OR host:web-1)', False),
        ('env:dev AND host:web-1 OR staging', True),
        ('env:dev AND (host:web-1 OR staging)', False),
        ('host IN (web-1, web-2)', True),
        ('host IN (db-*, web-*)', True),
        ('host NOT IN (web-2)', True),
        ('host NOT IN (web-*)', False),
        ('region NOT IN (eu)', True),
        ('$host', True),
        ('$host AND env:dev', False),
    ],
)
def test_a_scope_matches_a_series(text, expected):
    assert matches(scope(text), TAGS) is expected


@pytest.mark.parametrize(
    'text, variables, expected',
    [
        ('$host', {'host': ['host:web-1']}, True),
        ('$host', {'host': ['host:web-2']}, False),
        ('$host', {'host': ['host:web-2', 'host:web-1']}, True),
        ('!$host', {'host': ['host:web-1']}, False),
        ('$host', {'host': ['*']}, True),
        ('$host', {'host': ['host:web-*']}, True),
        ('$host', {}, True),
        ('host:$host.value', {'host': ['host:web-1']}, True),
        ('host:$host.value', {'host': ['web-1']}, True),
        ('host:$host', {'host': ['host:web-1']}, True),
        ('host:$host.value', {'host': ['host:db']}, False),
        ('host:$a.value-$b.value', {'a': ['x', 'web'], 'b': ['2', '1']}, True),
        ('host:web-$n', {'n': ['1']}, True),
        ('host:$role-$role_n', {'role': ['web'], 'role_n': ['1']}, True),
        ('host:$unheard_of.value', {'host': ['db']}, True),
        ('host IN ($a.value, db)', {'a': ['web-1']}, True),
    ],
)
def test_template_variables_stand_for_tags(text, variables, expected):
    assert matches(scope(text), TAGS, variables) is expected


def test_no_scope_is_everything():
    assert matches(None, frozenset())


MANY_WILDCARDS = """\
import resource
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from ddassets.language.query.scope import matches
from ddassets.language.query.syntax import parse_query
scope = parse_query('avg:m{host:' + 'a*' * 50 + 'b}').scope
print([matches(scope, frozenset({'host:' + 'a' * 5000 + end})) for end in ('', 'b')])
"""


def test_many_wildcards_do_not_backtrack():
    """Trying every distribution of 5000 letters over 50 wildcards would never end."""
    done = subprocess.run([sys.executable, '-c', MANY_WILDCARDS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, '[False, True]\n'), done.stderr


def slowly_fits(pattern, text):
    """An oracle: `*` is any text."""
    if not pattern:
        return not text
    if pattern[0] == '*':
        return any(slowly_fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and text[0] == pattern[0] and slowly_fits(pattern[1:], text[1:])


@given(st.text('ab*', min_size=1, max_size=7), st.text('ab', max_size=8))
@settings(max_examples=300)
def test_wildcards_fit_as_the_oracle_says(pattern, value):
    assert matches(scope(f'k:{pattern}'), frozenset({f'k:{value}'})) == slowly_fits(pattern, value)


def test_keys_are_those_that_the_scope_names():
    assert keys(scope('a:b AND (c IN (d) OR NOT e:f) AND $g AND h')) == {'a', 'c', 'e'}
    assert keys(None) == frozenset()


@pytest.mark.rule('1.5')
@pytest.mark.parametrize(
    'text, tags, expected',
    [
        ('avg:x{*}', ['host:a'], 'avg:x{host:a}'),
        ('avg:x{}', ['host:a', 'env:b'], 'avg:x{host:a,env:b}'),
        ('avg:x', ['host:a'], 'avg:x{host:a}'),
        ('avg:x{$env}', ['host:a'], 'avg:x{$env,host:a}'),
        ('avg:x{c:d,!e:f}', ['host:a'], 'avg:x{c:d,!e:f,host:a}'),
        ('avg:x{host:a}', ['host:a'], 'avg:x{host:a}'),
        ('avg:x{host:a,c:d}', ['host:a', 'e:f', 'e:f'], 'avg:x{host:a,c:d,e:f}'),
        ('avg:x{c:d OR e:f}', ['host:a'], 'avg:x{(c:d OR e:f) AND host:a}'),
        ('avg:x{c:d AND e:f}', ['host:a'], 'avg:x{c:d AND e:f AND host:a}'),
        ('avg:x{NOT c:d}', ['host:a'], 'avg:x{NOT c:d AND host:a}'),
        ('avg:x{c IN (d)}', ['host:a'], 'avg:x{c IN (d) AND host:a}'),
        ('avg:x{*} by {k}.fill(0) / -abs(max:y{a:b})', ['h:i'], 'avg:x{h:i} by {k}.fill(0) / -abs(max:y{a:b,h:i})'),
        ('(avg:x{*} + f(avg:x{*}, n=avg:y{*})).fill(0)', ['h:i'], '(avg:x{h:i} + f(avg:x{h:i}, n=avg:y{h:i})).fill(0)'),
        ('avg:x{*}', [], 'avg:x{*}'),
    ],
)  # fmt: skip
def test_narrowing_adds_the_tags_to_every_metric(text, tags, expected):
    narrowed = narrow(parse_query(text), tags)
    assert render(narrowed) == expected
    assert parse_query(expected) == narrowed
    assert narrow(narrowed, tags) == narrowed


def test_narrowing_changes_only_the_filters_of_a_monitor():
    query = parse_monitor('change(avg(last_5m),1h_ago):avg:x{*} by {host} > 3')
    assert render(narrow(query, ['env:a'])) == 'change(avg(last_5m),1h_ago):avg:x{env:a} by {host} > 3'
    assert narrow(parse_formula('a / b'), ['env:a']) == parse_formula('a / b')


@pytest.mark.parametrize('tag', ['', '*', 'host', '$host', '!host:a', 'a:b,c:d', 'a:b}', 'a b:c', 'a:b OR c:d', ':a'])
def test_narrowing_refuses_invalid_tags(tag):
    with pytest.raises(ValueError, match='expected a tag such as host:web-1, found'):
        narrow(parse_query('avg:x{*}'), [tag])


@pytest.mark.parametrize(
    'source, query, expected',
    [
        ('query alert', 'avg(last_5m):avg:x{*} > 3', None),
        ('metric alert', 'avg(last_5m):avg:x{*} > 3', None),
        ('metrics', 'avg:x{*}', None),
        ('formula', 'query1 / query2', None),
        ('unknown', 'avg:logs{*}', None),
        ('query alert', 'formula("query1").last("5m") > 3', None),
        ('log alert', 'logs("status:error").index("*").rollup("count").last("5m") > 3', 'logs'),
        ('query alert', 'logs("status:error").index("*").rollup("count").last("5m") > 3', 'logs'),
        ('', 'events("priority:all").rollup("count").last("5m") > 3', 'events'),
        ('', 'rum("@type:view").rollup("count").last("5m") > 3', 'RUM'),
        ('', 'trace-analytics("env:prod").rollup("count").last("5m") > 3', 'APM'),
        ('', 'ci-pipelines("*").rollup("count").last("5m") > 3', 'CI visibility'),
        ('', 'processes("mysqld").over("*").rollup("count").last("5m") < 1', 'processes'),
        ('', 'error_budget("0123").over("7d") > 75', 'SLOs'),
        ('', '"datadog.agent.up".over("*").by("host").last(2).count_by_status()', 'service checks'),
        ('service check', '"http.can_connect".over("*").last(2).count_by_status()', 'service checks'),
        ('composite', '123', 'composite monitors'),
        ('', '123 && !(456 || 789)', 'composite monitors'),
        ('formula', '100 / 3', None),
        ('network', '', 'network monitoring'),
        ('cloud_cost', 'sum:aws.cost.amortized{*}', 'cloud cost'),
        ('LOGS', '', 'logs'),
    ],
)
def test_queries_of_other_products_are_recognised(source, query, expected):
    assert recognise(source, query) == expected
