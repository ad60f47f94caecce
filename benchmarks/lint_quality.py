"""What `ddassets lint` finds and what it should not: recall and false alarms of every rule, over planted faults.

Twenty clean integrations with invented names, in five dialects of a check, are generated
(`ddassets/tests/planting.py`). For each rule, the bad example is moved into each of them, and random damage of the
rule's kind is done to their own assets. A fault counts as found if the rule reports it. The good example of each rule,
moved in the same way, is a near case: a finding of the rule, or an error or warning of any rule, is a false alarm.
"""

import argparse
import sys
import tempfile
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / 'ddassets' / 'tests'))

import faults
import planting

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.lint.rule import Rule
from ddassets.lint.rules import all_rules

# Per cent of the misspelt metrics that are to be errors.
MISSPELT_GOAL = 98


class Linter:
    """Lints integrations, each in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder / str(number) for number in count())

    def __call__(self, planted: planting.Integration, rule: Rule[Any] | None = None) -> tuple[Diagnostic, ...]:
        return planting.findings(next(self._folders), planted, rule)


def measure_clean(lint: Linter, integrations: list[planting.Integration]) -> int:
    """Print the findings in clean integrations; return how many are errors or warnings."""
    found = [finding for each in integrations for finding in lint(each)]
    serious = [finding for finding in found if planting.is_serious(finding)]
    print(f'{len(integrations)} clean integrations: {len(serious)} errors and warnings, {len(found)} findings')
    for finding in found:
        print(f'  {finding.severity} {finding.code} {finding.path}: {finding.message}')
    return len(serious)


def measure_rules(lint: Linter, integrations: list[planting.Integration], seeds: int) -> int:
    """Print a row per rule; return the number of rules with a missed fault or a false alarm."""
    print(
        '\n| rule | severity | examples | damage | recall | near cases | false alarms |\n|---|---|---|---|---|---|---|'
    )
    bad = 0
    missed: list[str] = []
    for rule in all_rules().values():
        figures: Counter[str] = Counter()
        for into in integrations:
            plants = [('examples', planting.transplants(rule, False, into))]
            plants += [('damage', each) for seed in range(seeds) for each in faults.damaged(rule.id, into, seed)]
            for kind, planted in plants:
                found = any(finding.code == rule.id for finding in lint(planted, rule))
                figures[kind] += 1
                figures['found'] += found
                if not found:
                    missed.append(f'{rule.id} missed: {kind} in {into.name} ({into.dialect})')
            near = lint(planting.transplants(rule, True, into), rule)
            alarms = [one for one in near if one.code == rule.id or planting.is_serious(one)]
            figures['near'] += 1
            figures['alarms'] += bool(alarms)
            missed += (f'{rule.id} false alarm: {one.code} in {into.name}: {one.message}' for one in alarms)
        planted_faults = figures['examples'] + figures['damage']
        bad += figures['found'] < planted_faults or bool(figures['alarms'])
        share = 100 * figures['found'] / planted_faults
        cells = (rule.id, rule.severity, figures['examples'], figures['damage'], f'{share:.0f} %')
        print('|', ' | '.join(map(str, (*cells, figures['near'], figures['alarms']))), '|')
    for line in missed[:50]:
        print(line)
    return bad


def measure_misspellings(lint: Linter, integrations: list[planting.Integration], seeds: int) -> float:
    """Print the share of misspelt metrics that are errors, by kind of misspelling; return the whole in per cent."""
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    missed = []
    for into in integrations:
        for seed in range(seeds):
            changed, wrong = faults.misspellings(into, seed)
            errors = {
                one.object for one in lint(changed) if one.severity is Severity.ERROR and one.code == 'metric/unknown'
            }
            for title, name in wrong.items():
                kind = title.split()[1]
                planted[kind] += 1
                found[kind] += title in errors
                if title not in errors:
                    missed.append(f'{title}: {name}')
    print(f'\n| misspelling | planted | errors |\n|{"---|" * 3}')
    for kind in faults.KINDS:
        print(f'| {kind} | {planted[kind]} | {100 * found[kind] / planted[kind]:.1f} % |')
    share = 100 * found.total() / planted.total()
    print(f'| all | {planted.total()} | {share:.2f} % |')
    print(*missed[:20], sep='\n')
    return share


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--integrations', type=int, default=20, help='how many integrations')
    parser.add_argument('--seeds', type=int, default=1, help='how often each kind of damage is planted in each')
    options = parser.parse_args()
    integrations = planting.integrations()[: options.integrations]
    with tempfile.TemporaryDirectory() as scratch:
        lint = Linter(Path(scratch))
        failed = measure_clean(lint, integrations) > 0
        failed |= measure_rules(lint, integrations, options.seeds) > 0
        failed |= measure_misspellings(lint, integrations, 5 * options.seeds) < MISSPELT_GOAL
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
