"""The connection to Datadog: verified TLS, a proxy, and no network where none is needed."""

import json
import ssl
import subprocess
import sys

import pytest
import trustme
from loopback import integration
from loopback.proxy import Proxy
from loopback.server import FakeDatadog
from loopback.trial import run

COMMANDS = [
    pytest.param(('plan',), id='plan'),
    pytest.param(('apply', '--yes'), id='apply'),
    pytest.param(('destroy', '--yes'), id='destroy'),
    pytest.param(('snapshot', '--widget', 'Jobs'), id='snapshot'),
]
# Those of whoever runs the tests.
NO_PROXIES = {
    spelt(f'{name}_proxy'): None for name in ('http', 'https', 'no', 'all') for spelt in (str.lower, str.upper)
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return integration.write(tmp_path_factory.mktemp('transport'), integration.ASSETS)


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


@pytest.fixture(scope='module')
def trusted(authority, tmp_path_factory):
    """Return the environment of a user who trusts the authority."""
    path = tmp_path_factory.mktemp('authority') / 'authority.pem'
    authority.cert_pem.write_to_path(str(path))
    return NO_PROXIES | {'SSL_CERT_FILE': str(path)}


def certificate(authority, *names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def tls(specification, authority):
    """The loopback API behind a certificate for 127.0.0.1."""
    with FakeDatadog(specification, certificate=certificate(authority, '127.0.0.1')) as fake:
        yield fake
    assert fake.violations == []


def arguments(command, folder):
    return command[0], folder, *command[1:]


@pytest.mark.parametrize('command', COMMANDS)
def test_an_untrusted_certificate_is_refused(tls, folder, command):
    outcome = run(tls, *arguments(command, folder), environment=NO_PROXIES)
    assert outcome.code == 2 and 'the certificate of 127.0.0.1 is not valid' in outcome.err
    assert 'SSL_CERT_FILE' in outcome.err
    # Not one header was sent.
    assert tls.exchanges == []


def test_a_certificate_for_another_host_is_refused(specification, authority, trusted, folder):
    with FakeDatadog(specification, certificate=certificate(authority, 'datadog.example.com')) as fake:
        outcome = run(fake, 'plan', folder, environment=trusted)
    assert outcome.code == 2 and 'the certificate of 127.0.0.1 is not valid' in outcome.err
    assert fake.exchanges == []


def test_canary_a_trusted_certificate_is_accepted(tls, trusted, folder):
    assert run(tls, 'apply', folder, '--yes', environment=trusted).code == 0
    assert run(tls, 'plan', folder, environment=trusted).code == 0


@pytest.mark.parametrize('variable', ['HTTPS_PROXY', 'https_proxy'])
def test_a_proxy_is_used(tls, trusted, folder, variable):
    with Proxy() as proxy:
        environment = trusted | {variable: f'http://me:opensesame@{proxy.address}'}
        outcome = run(tls, 'apply', folder, '--yes', '--verbose', environment=environment)
    assert outcome.code == 0, outcome.said
    assert set(proxy.asked) == {tls.url.removeprefix('https://')}
    assert set(proxy.authorisations) == {'Basic bWU6b3BlbnNlc2FtZQ=='}
    # A connection is used again: there are as many as requests at once, and no more.
    assert len(proxy.asked) <= 8 < len(tls.exchanges)
    assert 'opensesame' not in outcome.said and 'bWU6b3BlbnNlc2FtZQ' not in outcome.said


def test_no_proxy_bypasses_the_proxy(tls, trusted, folder):
    with Proxy() as proxy:
        environment = trusted | {'HTTPS_PROXY': f'http://{proxy.address}', 'NO_PROXY': '127.0.0.1'}
        assert run(tls, 'plan', folder, environment=environment).code == 1
    assert proxy.asked == []


@pytest.mark.parametrize(
    'site, host', [('datadoghq.eu', 'api.datadoghq.eu:443'), ('us5.datadoghq.com', 'api.us5.datadoghq.com:443')]
)
def test_a_site_is_reached_only_through_the_proxy(tls, folder, site, host):
    """No host name is resolved: behind such a proxy no DNS server is available."""
    with Proxy() as proxy:
        environment = NO_PROXIES | {
            'HTTPS_PROXY': f'http://me:opensesame@{proxy.address}',
            'DD_SITE': site,
            'DDASSETS_API_URL': None,
        }
        outcome = run(tls, 'plan', folder, environment=environment)
    assert outcome.code == 2 and 'through the proxy 127.0.0.1' in outcome.err
    assert set(proxy.asked) == {host} and 'opensesame' not in outcome.said


# A library binds a socket to ::1 when it is imported, to learn whether there is IPv6; that leads nowhere.
LISTEN = """
import sys
opened = []
harmless = ('socket.__new__', 'socket.bind')
sys.addaudithook(lambda event, _: event.startswith('socket.') and event not in harmless and opened.append(event))
from ddassets.cli import main
code = main(sys.argv[1:])
sys.exit(f'opened: {opened}' if opened else code)
"""


def listened(*words, before=''):
    return subprocess.run(
        [sys.executable, '-c', before + LISTEN, *map(str, words)],
        env={'PATH': '', 'DDASSETS_API_URL': 'http://127.0.0.1:9'},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('as_json', [False, True], ids=['text', 'json'])
def test_dry_run_uses_no_network_and_needs_no_keys(folder, command, as_json):
    done = listened(*arguments(command, folder), '--dry-run', *(['--json'] if as_json else []))
    assert done.returncode == 0 and done.stdout, done.stderr
    if as_json:
        json.loads(done.stdout)


def test_canary_using_the_network_is_detected(folder, tmp_path):
    keys = tmp_path / 'keys'
    keys.write_text('DD_API_KEY=a\nDD_APP_KEY=b\n')
    keys.chmod(0o600)
    once = 'from ddassets.org import client; client.PAUSES = ()'
    done = listened('plan', folder, '--keys-from', keys, before=once)
    assert "opened: ['socket." in done.stderr
