"""`python -m loopback`: a Datadog organisation on loopback to try `ddassets plan`, `apply` and other commands."""

import argparse
import contextlib
import math
import threading
import time

from loopback.organisation import Organisation
from loopback.server import FakeDatadog
from loopback.specification import Specification
from loopback.stored import API_KEY, APP_KEY


def point(begun: float, number: int) -> tuple[float, float]:
    """Return a point of a sine wave, one every 45 seconds."""
    return begun + 45 * number, 500 + 400 * math.sin(number / 20)


def main() -> None:
    parser = argparse.ArgumentParser(prog='python -m loopback', description=__doc__)
    parser.add_argument('--foreign', type=int, default=0, metavar='N', help="how many of other people's objects it has")
    options = parser.parse_args()
    organisation = Organisation()
    organisation.seed_foreign(options.foreign)
    begun = time.time()
    points = organisation.series['my_metric'] = [point(begun, i) for i in range(-2000, 1)]
    with FakeDatadog(Specification.load(), organisation) as fake, contextlib.suppress(KeyboardInterrupt):
        print('In another terminal:\n')
        print(f'  export DDASSETS_API_URL={fake.url} DD_API_KEY={API_KEY} DD_APP_KEY={APP_KEY}')
        print('  ddassets apply my_metric\n\nUntil Ctrl-C, the requests:', flush=True)
        told = 0
        while not threading.Event().wait(0.2):
            if time.time() >= points[-1][0] + 45:
                points.append(point(begun, len(points) - 2000))
            for exchange in fake.exchanges[told:]:
                if exchange.status is None:
                    break
                print(f'  {exchange.method:<6} {exchange.path}  {exchange.status}', flush=True)
                told += 1


if __name__ == '__main__':
    main()
