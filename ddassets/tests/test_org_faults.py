"""Every request of plan, apply, destroy and snapshot meets every fault, and a kill before and after it.

Whatever happened, the next run makes the organisation what one undisturbed run would have made of it: the same objects,
none twice, and none of other people's touched.
"""

import copy
from dataclasses import dataclass, field

import pytest
from loopback import integration
from loopback.keys import API_KEY, APP_KEY
from loopback.organisation import Organisation
from loopback.server import FAULTS, FakeDatadog, FaultKind
from loopback.trial import LONG, SHORT, Outcome, Place, disturbed, killed, places, run
from scale import MANY

FOREIGN = 2
# Its name begins as ours does.
NEIGHBOUR = 'acme-spool-2'


@dataclass(frozen=True)
class Scenario:
    """`before` is applied first, if anything; then the command is run on `assets`."""

    before: dict | None
    assets: dict
    command: str
    options: tuple[str, ...] = ()
    # Seconds that a disturbed run may wait for a picture, where the command waits for one.
    wait: float | None = None


SCENARIOS = {
    'plan': Scenario(integration.ASSETS, integration.mixed(), 'plan'),
    'create': Scenario(None, integration.ASSETS, 'apply', options=('--yes',)),
    'update': Scenario(integration.ASSETS, integration.changed(), 'apply', options=('--yes',)),
    'mixed': Scenario(integration.ASSETS, integration.replaced(), 'apply', options=('--yes',)),
    'destroy': Scenario(integration.ASSETS, integration.ASSETS, 'destroy', options=('--yes',)),
    'snapshot': Scenario(
        None,
        integration.ASSETS,
        'snapshot',
        options=('--widget', 'Jobs', '--last', '5m', '--notify', '@you@example.com'),
        wait=5,
    ),
}


@dataclass
class Stage:
    """A prepared scenario: `start` is the organisation before it, the rest is the result of an undisturbed run."""

    fake: FakeDatadog
    command: tuple[object, ...]
    wait: float | None
    code: int
    start: Organisation
    end: str
    events: int
    places: list = field(default_factory=list)

    def reset(self) -> None:
        self.fake.organisation = copy.deepcopy(self.start)
        self.fake.exchanges.clear()
        self.fake.violations.clear()

    def disturb(
        self, place: Place, kind: FaultKind, from_then_on: bool = False, attempts: int | None = None
    ) -> Outcome:
        # A machine with much to do may take longer than that for requests that are in order.
        for slowness in (1, 10):
            timeout = SHORT * slowness if kind in ('timeout', 'slow_loris') else LONG
            hurried = () if self.wait is None else ('--wait', self.wait * slowness)
            self.reset()
            with disturbed(self.fake, place, kind, from_then_on) as met:
                outcome = run(self.fake, *self.command, *hurried, timeout=timeout, attempts=attempts)
            if met:
                return outcome
        raise AssertionError(f'{place} was not reached: {outcome.said}')

    def run_again(self) -> None:
        """Check that the next run repairs everything."""
        organisation = self.fake.organisation
        events = len(organisation.events)
        outcome = run(self.fake, *self.command)
        assert outcome.code == self.code, outcome.said
        assert organisation.fingerprint() == self.end
        assert organisation.foreign_changes() == []
        assert len(organisation.events) == events + self.events
        assert self.fake.violations == []


@pytest.fixture(scope='module')
def stages(specification, tmp_path_factory):
    """Return the scenarios by name; each is prepared once."""
    made: dict[str, Stage] = {}
    with FakeDatadog(specification) as fake:
        fake.rate_limit_reset = 0

        def stage(name: str) -> Stage:
            if name not in made:
                made[name] = prepare(fake, SCENARIOS[name], tmp_path_factory.mktemp(name))
            made[name].reset()
            return made[name]

        yield stage


def prepare(fake: FakeDatadog, scenario: Scenario, folder) -> Stage:
    fake.organisation = Organisation(url=fake.url)
    fake.organisation.seed_foreign(FOREIGN)
    other = run(fake, 'apply', integration.write(folder / 'other', integration.neighbour(), NEIGHBOUR), '--yes')
    assert other.code == 0, other.said
    fake.organisation.hold_foreign()
    if scenario.before is not None:
        before = run(fake, 'apply', integration.write(folder / 'before', scenario.before), '--yes')
        assert before.code == 0, before.said
    start = copy.deepcopy(fake.organisation)
    command = (scenario.command, integration.write(folder / 'now', scenario.assets), *scenario.options)
    fake.exchanges.clear()
    outcome = run(fake, *command)
    # A plan with something to do exits with 1.
    assert outcome.code == (1 if scenario.command == 'plan' else 0), outcome.said
    found = places(fake.exchanges)
    if scenario.command == 'apply':
        assert run(fake, 'plan', *command[1:2]).code == 0
    organisation = fake.organisation
    check_events(organisation)
    assert len(organisation.events) == (scenario.command == 'snapshot')
    assert organisation.foreign_changes() == [] and fake.violations == []
    return Stage(
        fake,
        command,
        scenario.wait,
        outcome.code,
        start,
        organisation.fingerprint(),
        len(organisation.events),
        found,
    )


def check_events(organisation: Organisation) -> None:
    """Check that each event mentions the right recipient and has a picture that already existed."""
    for event in organisation.events:
        assert '@you@example.com' in event['text']
        (looked,) = (looks for path, looks in organisation.pictures.items() if path in event['text'])
        assert looked > organisation.renders_after


def honest(stage: Stage, outcome) -> None:
    """Check that a disturbed run reports the fault, without a key, and reports success only if it is true."""
    assert outcome.code in (0, 1, 2), outcome.said
    for forbidden in ('Traceback', API_KEY, APP_KEY):
        assert forbidden not in outcome.said
    organisation = stage.fake.organisation
    if outcome.code == stage.code:
        assert organisation.fingerprint() == stage.end
    else:
        assert outcome.err
    assert organisation.foreign_changes() == []
    assert len(organisation.events) <= stage.events
    check_events(organisation)


def chosen(stage: Stage, kind: FaultKind) -> list[Place]:
    """Return the requests to disturb: all, or every third if the client waits for them."""
    slow = kind in ('timeout', 'slow_loris') and not MANY
    return stage.places[:: 3 if slow else 1]


@pytest.mark.parametrize('name', SCENARIOS)
@pytest.mark.parametrize('kind', FAULTS)
def test_a_fault_at_any_request(stages, cases, name, kind):
    stage = stages(name)
    for place in chosen(stage, kind):
        first = stage.disturb(place, kind)
        honest(stage, first)
        if first.code != stage.code:
            stage.run_again()
        # Or it left what an undisturbed run leaves, and after that one there is nothing to do, as `prepare` has seen.
        cases['requests met one fault; the run itself or the next one converged'] += 1
        cases['of these, the run itself'] += first.code == stage.code


@pytest.mark.parametrize('name', ['mixed', 'destroy', 'snapshot'])
@pytest.mark.parametrize('kind', FAULTS)
def test_faults_from_any_request_on(stages, cases, name, kind):
    """No retry helps, so the run stops halfway."""
    stage = stages(name)
    for place in chosen(stage, kind):
        first = stage.disturb(place, kind, from_then_on=True, attempts=2)
        honest(stage, first)
        stage.run_again()
        cases['requests met a fault that stayed; the next run converged'] += 1
        cases['of these, stopped half-way'] += first.code != stage.code


@pytest.mark.parametrize('name', SCENARIOS)
@pytest.mark.parametrize('moment', ['arrived', 'acted'])
def test_a_kill_at_any_request(stages, cases, name, moment):
    stage = stages(name)
    for place in stage.places:
        stage.reset()
        killed(stage.fake, place, moment, *stage.command)
        stage.run_again()
        cases['requests met kill -9, before or after they were acted on; the next run converged'] += 1
