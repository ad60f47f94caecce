"""Evaluate monitors: series and a monitor in, states, transitions and notifications out. Pure: no clock, no I/O.

>>> from ddassets.engine.evaluator import evaluate
>>> from ddassets.engine.examples import monitor, series
>>> from ddassets.engine.notification import notifications
>>> queue = monitor('avg(last_1m):avg:acme.queue{*} by {host} > 5')
>>> signal = series('1 1 9 9 1', 'host:a')
>>> timeline = evaluate(queue, signal, start=1_800_000_000, end=1_800_000_300)
>>> for group, line in timeline.groups.items():
...     for notification in notifications(queue, line):
...         print(group, notification.instant, notification.kind, notification.value)
('host:a',) 1800000120 alert 9.0
('host:a',) 1800000240 recovery 1.0
>>> sorted(timeline.relied_on)
['A1', 'A2']
"""
