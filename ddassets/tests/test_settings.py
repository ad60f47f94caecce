import pytest
from agent import probes

from ddassets.agent.sampler import DEFAULT_SETTINGS
from ddassets.agent.settings import read_settings, settings_of
from ddassets.diagnostic import UnusableInputError


@pytest.mark.parametrize('name', [pytest.param(name, id=name) for name in probes.DOCUMENT['agent_configs']])
def test_settings_of_the_probes(name):
    settings, warnings = settings_of(probes.DOCUMENT['agent_configs'][name], 'datadog.yaml')
    assert settings == probes.SETTINGS[name]
    assert warnings == []


@pytest.mark.parametrize(
    ('document', 'attribute', 'value', 'warning'),
    [
        pytest.param({'histogram_aggregates': ['max', 'mode']}, 'aggregates', ('max',), "skips 'mode'", id='aggregate'),
        pytest.param({'histogram_aggregates': 'max sum'}, 'aggregates', ('max', 'sum'), None, id='one-text'),
        pytest.param({'histogram_percentiles': [0.29, '95']}, 'percentiles', (29,), "skips '95'", id='percentile'),
        pytest.param({'histogram_percentiles': []}, 'percentiles', (), None, id='no-percentiles'),
        pytest.param({'check_sampler_expire_metrics': False}, 'expire', False, None, id='no-expiry'),
        pytest.param({'check_sampler_bucket_commits_count_expiry': 5}, 'expiry_runs', 5, None, id='runs'),
        pytest.param(
            {'check_sampler_stateful_metric_expiration_time': '1h30m'}, 'stateful_expiry', 5400, None, id='expiry'
        ),
        pytest.param({'tags': ['env:dev']}, 'aggregates', DEFAULT_SETTINGS.aggregates, None, id='other-keys'),
    ],
)
def test_settings(document, attribute, value, warning):
    settings, warnings = settings_of(document, 'datadog.yaml')
    assert getattr(settings, attribute) == value
    assert [warning in said for said in warnings] == ([True] if warning else [])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        pytest.param('- a', 'expected a mapping', id='list'),
        pytest.param('histogram_aggregates: 5', 'histogram_aggregates: expected a list, found 5', id='aggregates'),
        pytest.param('check_sampler_expire_metrics: 7', 'expected true or false, found 7', id='expire'),
        pytest.param('check_sampler_bucket_commits_count_expiry: 0', 'at least 1, found 0', id='runs'),
        pytest.param('check_sampler_stateful_metric_expiration_time: soon', "such as 25h, found 'soon'", id='expiry'),
    ],
)
def test_unusable_settings(tmp_path, text, message):
    path = tmp_path / 'datadog.yaml'
    path.write_text(text)
    with pytest.raises(UnusableInputError, match=message):
        read_settings(path)
