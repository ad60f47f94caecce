"""The query of an SLO alert (rule 18.1): its tree, and the place and the words of each fault."""

import pytest

from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.slo import SloQuery, parse

BURN = 'burn_rate("a").over("30d").long_window("1h").short_window("5m")'


@pytest.mark.rule('18.1')
@pytest.mark.parametrize(
    ('text', 'found'),
    [
        ('error_budget("a").over("7d") > 75', SloQuery('error_budget', 'a', '7d', '>', 75.0)),
        (" error_budget( 'a b' ) . over('90d')>=7.5e1 ", SloQuery('error_budget', 'a b', '90d', '>=', 75.0)),
        (f'{BURN} >= 14.4', SloQuery('burn_rate', 'a', '30d', '>=', 14.4, 3600, 300)),
        (
            'burn_rate("a").short_window("30m").long_window("6h").over("7d") > .5',
            SloQuery('burn_rate', 'a', '7d', '>', 0.5, 21600, 1800),
        ),
        ('error_budget("a").over("7d") > 0', SloQuery('error_budget', 'a', '7d', '>', 0.0)),
        (
            'error_budget("a").over("7d").by("env", "host,env") > 1',
            SloQuery('error_budget', 'a', '7d', '>', 1.0, by=('env', 'host')),
        ),
    ],
)
def test_slo_query(text, found):
    assert parse(text) == found


def test_places_of_arguments():
    query = parse(f'{BURN} > 14.4')
    text = f'{BURN} > 14.4'
    assert {name: text[span.start : span.end] for name, span in query.calls.items()} == {
        'over': '30d',
        'long_window': '1h',
        'short_window': '5m',
    }
    assert text[query.slo_span.start : query.slo_span.end] == 'a'
    assert text[query.threshold_span.start : query.threshold_span.end] == '14.4'
    assert query.seconds == 30 * 86400


@pytest.mark.rule('18.1', '18.7')
@pytest.mark.parametrize(
    ('text', 'column', 'message'),
    [
        ('', 1, 'expected error_budget("…") or burn_rate("…")'),
        (
            'burnrate("a").over("7d") > 1',
            1,
            'expected error_budget("…") or burn_rate("…"); did you mean burn_rate?',
        ),
        (
            'error_budget(a).over("7d") > 1',
            14,
            'expected the id of an SLO in double quotes, found \'a).over("7d") > 1\'',
        ),
        ('error_budget("").over("7d") > 1', 15, 'expected the id of an SLO, found an empty text'),
        (
            'error_budget("a").ower("7d") > 1',
            19,
            '.ower() is not part of error_budget(); did you mean over?; allowed: .over(), .by()',
        ),
        (
            'error_budget("a").over("7d").long_window("1h") > 1',
            30,
            '.long_window() is not part of error_budget(); allowed: .over(), .by()',
        ),
        ('error_budget("a").over("7d").over("7d") > 1', 30, '.over() is repeated'),
        (
            'error_budget("a").over("7d").by("") > 1',
            33,
            'expected keys such as "env" in double quotes, found \'"") > 1\'',
        ),
        ('error_budget("a") > 1', 19, "expected .over(\"7d\"), found '> 1'"),
        ('error_budget("a").over("30") > 1', 25, "over: found '30'; did you mean 30d?; allowed: 7d, 30d, 90d"),
        ('error_budget("a").over(7d) > 1', 24, "expected a length such as \"1h\" in double quotes, found '7d) > 1'"),
        ('error_budget("a").over("7d")', 29, 'expected > or >= with a number, found the end of the query'),
        ('error_budget("a").over("7d") < 1', 30, "found the comparison '<'; allowed: >, >="),
        ('error_budget("a").over("7d") > -1', 32, "expected a number of per cent, 0 or more, found '-1'"),
        ('error_budget("a").over("7d") > 1e999', 32, "expected a number of per cent, 0 or more, found '1e999'"),
        (f'{BURN} > 0', 67, "expected a number above 0, found '0'"),
        (f'{BURN} > x', 67, "expected a number above 0, found 'x'"),
        (
            'burn_rate("a").over("7d").long_window("1h") > 1',
            45,
            "expected .short_window(\"5m\"), found '> 1'",
        ),
        (
            'burn_rate("a").over("7d").long_window("30m").short_window("5m") > 1',
            40,
            "long_window: expected 1h to 48h (rule 18.7), found '30m'",
        ),
        (
            'burn_rate("a").over("7d").long_window("3d").short_window("5m") > 1',
            40,
            "long_window: expected 1h to 48h (rule 18.7), found '3d'",
        ),
        (
            'burn_rate("a").over("7d").long_window("6h").short_window("6h") > 1',
            59,
            'short_window: expected 1m to less than the long window (rule 18.7), such as 30m, found \'6h\'',
        ),
    ],
)
def test_slo_query_fault(text, column, message):
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.message) == (column, message)
