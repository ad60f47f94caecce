"""Open questions: what the public documentation does not say, the default answer and its alternatives.

`Assumptions` is the whole table. Reading one of its attributes records that the result relied on it.

>>> assumptions = Assumptions({'A9': 'no'})
>>> assumptions.alert_passes_warning_recovery
'no'
>>> sorted(assumptions.relied_on)
['A9']
>>> assumptions.switched('A9', 'yes').alert_passes_warning_recovery
'yes'
"""

from collections.abc import Iterator, Mapping
from typing import Self, overload

from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import did_you_mean


class Assumption:
    """An open question, declared as an attribute of `Assumptions`. `id` is its name in results; the first choice is the
    default.

    On the class, the attribute is this object; on an instance, it is the choice.
    """

    def __init__(self, id: str, question: str, default: str, *alternatives: str) -> None:
        self.id = id
        self.question = question
        self.default = default
        self.alternatives = alternatives

    @property
    def choices(self) -> tuple[str, ...]:
        """The default and its alternatives."""
        return self.default, *self.alternatives

    @overload
    def __get__(self, instance: None, owner: type['Assumptions']) -> 'Assumption': ...
    @overload
    def __get__(self, instance: 'Assumptions', owner: type['Assumptions']) -> str: ...
    def __get__(self, instance: 'Assumptions | None', owner: type['Assumptions']) -> 'Assumption | str':
        if instance is None:
            return self
        instance.relied_on.add(self.id)
        return instance.peek(self)

    def __repr__(self) -> str:
        return f'<{self.id}: {self.question}>'


class Assumptions:
    """The choice for each open question, and the ids of the questions that were read (`relied_on`).

    `choices` maps ids to choices; other ids have their default. Code that needs a choice before it knows whether the
    choice matters calls `peek`, and `rely_on` once it matters.

    Raises UnusableInputError for an id or a choice that is not in the table.
    """

    window_ends = Assumption(
        'A1',
        'whether a window includes its first and last instant',
        '(from,to]',
        '[from,to]',
        '[from,to)',
        '(from,to)',
    )
    bucket = Assumption(
        'A2',
        'length of a bucket of a query without rollup, in seconds',
        'native',
        *('table', '1', '2', '5', '10', '20', '60', '300', '600', '3600', '14400'),
    )
    short_window = Assumption('A3', 'result of a window that is not full, with require_full_window', 'skip', 'no data')
    points_without_value = Assumption(
        'A4', 'result of a window whose points all lack a value (n/0, a missing operand)', 'no data', 'skip'
    )
    default_timeframe = Assumption(
        'A5', 'no_data_timeframe when the option is missing', '2x window', '1x window', 'error'
    )
    no_data_timer = Assumption('A6', 'start of the no-data timer', 'last point', 'first empty evaluation')
    count_query = Assumption(
        'A7', 'which queries without default_zero() evaluate missing data as 0', 'count', 'sum or count'
    )
    recovery_after_silent_no_data = Assumption(
        'A8', 'whether a recovery from a silent No Data notifies', 'after a trigger', 'always', 'never'
    )
    alert_passes_warning_recovery = Assumption(
        'A9', 'whether a recovery from Alert has to pass warning_recovery too', 'yes', 'no'
    )
    renotify_limits = Assumption(
        'A10',
        'whether a change of state resets the count of renotifications, and whether they end after 30 hours',
        'reset, no cap',
        'keep, no cap',
        'reset, cap',
    )
    warning_after_alert = Assumption('A11', 'whether is_warning holds from Alert to Warn', 'yes', 'no')
    no_data_recovery_into_trouble = Assumption(
        'A12', 'whether is_no_data_recovery holds from No Data to Alert or Warn', 'no', 'yes'
    )
    downtime_duration = Assumption(
        'A13', 'whether the duration of a downtime is elapsed time or wall time', 'elapsed', 'wall'
    )
    recurrence_end = Assumption('A14', 'how an occurrence of a downtime ends', 'expired', 'canceled')
    escalation_place = Assumption(
        'A15', 'whether escalation_message is appended to the message or replaces it', 'append', 'replace'
    )
    number_format = Assumption('A16', 'format of numbers and times in a message', 'at most 3 decimals', 'raw')
    count_interpolation = Assumption('A17', 'interpolation of a count or a rate without as_count()', 'null', 'linear')
    earlier_point = Assumption(
        'A19',
        'whether diff() and the rates use a point before the window',
        'within 300 s',
        'always',
        'window only',
    )
    uneven_shift = Assumption(
        'A20',
        'which bucket is read if a timeshift is not a multiple of the bucket',
        'bucket of the shifted start',
        'nearest bucket',
    )
    never_reported = Assumption('A21', 'whether a group that has never reported is evaluated', 'no', 'yes')
    no_data_after_timeout = Assumption(
        'A22', 'whether a group stays in No Data that starts after timeout_h has passed', 'stays', 'never'
    )
    muted_renotification = Assumption('A23', 'when a muted renotification is sent', 'next in its rhythm', 'at the end')
    equality = Assumption('A24', 'tolerance of == and !=', 'exactly', 'to 1e-9 of the size')
    renotification_state = Assumption(
        'A25', 'whether the conditional of the state holds in a renotification', 'yes', 'no'
    )
    title_words = Assumption(
        'A26', 'title prefixes of No Data and of renotifications in Warn and No Data', 'No data', 'No Data'
    )
    else_everywhere = Assumption('A27', 'whether {{else}} works in every conditional', 'yes', 'is_match alone')
    match_case = Assumption('A29', 'whether is_match and is_exact_match distinguish upper and lower case', 'yes', 'no')
    eval_format = Assumption(
        'A31',
        'precedence of operators in eval, and the format of to_bool and humanize_…',
        'arithmetic',
        'from the left',
    )
    handle_punctuation = Assumption('A32', 'whether a final . or , is part of a handle', 'no', 'yes')
    downtime_end_kind = Assumption(
        'A33', 'which kind of notification the end of a downtime sends', 'a trigger', 'a renotification'
    )
    repeated_wall_time = Assumption(
        'A34', 'start of an occurrence whose wall time occurs twice', 'the first', 'the second'
    )
    members_that_notify = Assumption(
        'A36', 'which members in No Data must notify on missing data for a composite to do so', 'all', 'any', 'none'
    )
    member_status = Assumption(
        'A37', 'which status of a member a composite uses', 'at the evaluation', 'the most severe of 5 minutes'
    )
    composite_order = Assumption(
        'A38', 'when a composite is evaluated, every minute', 'after its members', 'before its members'
    )
    uncommon_group = Assumption(
        'A39', 'state of a composite group that is no longer common to the members', 'kept, dropped by retention', 'OK'
    )
    unknown_member = Assumption('A40', 'how a member in Unknown counts', 'No Data', 'its last status')
    composite_value = Assumption('A41', 'value and threshold in the message of a composite', 'empty')
    consecutive_runs = Assumption(
        'A42', 'which runs of a check reach a threshold', 'in a row with the newest', 'among the last n'
    )
    check_cadence = Assumption('A43', 'when a check monitor is evaluated', 'every minute', 'at each run too')
    check_value = Assumption('A44', 'value in the message of a check monitor', 'empty', 'the runs that decided')
    cluster_comparison = Assumption('A45', 'how a percentage is compared in a cluster alert', '>', '>=')
    silent_combination = Assumption(
        'A46',
        'how long a combination of tags without runs counts in a cluster alert',
        'until its group is dropped',
        'until no_data_timeframe',
    )
    event_window = Assumption(
        'A47', 'whether a window of events includes its first and last instant', '[from,to)', 'as A1'
    )
    top_groups = Assumption(
        'A48', 'which of several groups with equal values is kept, in monitors of events', 'lexicographic'
    )
    cardinality_counts = Assumption('A49', 'whether a cardinality without events is 0', 'no', 'yes')
    silent_group = Assumption(
        'A50',
        'result of a group without events, if the monitor alerts below a threshold and another group has events',
        'not evaluated',
        '0 is compared',
    )
    event_shown = Assumption('A51', 'the event whose attributes are the variables of a message', 'newest in the window')
    formula_reduction = Assumption(
        'A60',
        'how a formula over metrics without a rollup is evaluated',
        'reduce, then formula',
        'per point, then avg',
    )
    event_ratio = Assumption('A61', 'result of a formula over events that divides by 0', 'state kept', '0')
    no_threshold = Assumption('A62', 'a group that has no value of its dynamic threshold', 'not evaluated', 'no data')
    percentile = Assumption(
        'A63',
        'what percentile() and pXX: of a distribution return',
        'of merged raw values, lower rank',
        'share of points',
        'interpolated',
    )
    missing_boundary = Assumption(
        'A52', 'where a cumulative window begins if the local time does not exist', 'next valid instant'
    )
    boundary_tick = Assumption(
        'A53',
        'window of an evaluation exactly at the boundary of a cumulative window',
        'new window',
        'old, full window',
    )
    cumulative_cadence = Assumption(
        'A54', 'how often a cumulative window is evaluated', 'by its longest extent', 'every minute'
    )
    cumulative_full_window = Assumption('A55', 'effect of require_full_window on a cumulative window', 'ignored')
    burn_rate_comparison = Assumption(
        'A64', 'how a burn rate is compared with its threshold', 'operator of the query', '>='
    )
    slo_of_nothing = Assumption('A65', 'result of an SLO without any total in the window', 'no result', 'uptime')
    unfinished_slice = Assumption('A66', 'whether the slice of an SLO that has not ended counts', 'not counted')
    burn_rate_value = Assumption('A67', 'value in the message of a burn-rate alert', 'empty', 'long burn rate')
    slo_cadence = Assumption('A68', 'when an SLO alert is evaluated', 'every minute')
    outlier_constants = Assumption('A69', 'constants of outliers() where it is approximated', '1 and 1.4826, both run')
    outlier_gaps = Assumption(
        'A70',
        'outliers() with several largest clusters, and with missing points, where it is approximated',
        'none is an outlier; interpolated',
    )
    scaled_outliers = Assumption('A71', 'whether outliers() by a scaled algorithm is approximated', 'refused')
    schedule_start = Assumption('A56', 'start of a custom schedule without one', 'start of the rehearsal')
    schedule_between = Assumption(
        'A57', 'renotification, timeout_h and the end of a downtime between the evaluations of a custom schedule', 'off'
    )
    kept_status = Assumption(
        'A58',
        'what an evaluation of a custom schedule without data tells, with on_missing_data default',
        'the last status again if not OK',
        'silent',
    )
    scheduled_retention = Assumption(
        'A59', 'when a group of a monitor with a custom schedule is dropped', 'never dropped', '24 h'
    )
    anomaly_band = Assumption(
        'A72',
        "the band of anomalies(…, 'basic', …): its history, width and lag",
        'not published; approximated only on request, over several',
    )
    forecast_line = Assumption(
        'A73',
        "the line and the bounds of forecast(…, 'linear', …)",
        'not published; approximated only on request, over several',
    )
    count_of_nothing = Assumption(
        'A74', 'result of count_nonzero() and count_not_null() if no group has a value', 'no point', '0'
    )
    clamped_gap = Assumption(
        'A75', 'whether clamp_min() and clamp_max() return a value for a bucket without points', 'no point', 'n'
    )
    empty_default = Assumption('A76', 'whether default(q, n) returns n for a window without points', 'n', 'nothing')
    monotonic_fall = Assumption('A77', 'result of monotonic_diff() if the value decreases', 'no point', '0')
    moving_ends = Assumption(
        'A78', 'whether moving_rollup() includes the first and last instant of its period', '(t-X,t]', '[t-X,t]'
    )
    earlier_history = Assumption(
        'A79',
        'whether median, ewma and moving_rollup() use points before the window',
        'used when there',
        'window only',
    )
    ewma_weight = Assumption('A80', 'weight of the newest point in ewma_n()', '2/(n+1)', '2/(n+2)')
    running_sum = Assumption('A81', 'how cumsum() and integral() are evaluated', 'refused', 'over the window')
    ranking = Assumption(
        'A82',
        'ties and area in top(), and the data of a group that is no longer kept',
        'lexicographic, by next point, no data',
    )
    month_end = Assumption(
        'A83', 'which day calendar_shift() by months reads if the earlier month is shorter', 'last day'
    )
    trend_range = Assumption('A85', 'the points to which trend_line() is fitted', 'evaluation window')
    weekday_zone = Assumption('A86', 'time zone of BYDAY in a downtime', 'local', 'UTC')
    comment_end = Assumption('A87', 'end of a comment that contains braces', 'at --}}', 'at the first }}')
    group_retention = Assumption(
        'A88',
        'when a group without data is dropped, with dynamic group retention',
        'not modelled, 24 h',
        '12 h',
        '1 h',
    )
    count_window_ends = Assumption(
        'A89', 'whether a window of as_count() includes its first and last instant', '(from,to]', 'as A1'
    )
    touching_end = Assumption('A90', 'whether an occurrence that touches the next one notifies at its end', 'no', 'yes')
    scope_operators = Assumption(
        'A91', 'whether a downtime scope may contain `and` and `or` in lower case', 'accepted', 'refused'
    )
    hidden_recovery = Assumption(
        'A92', 'text for the handles in is_alert_recovery, from Alert to Warn', 'the text outside', 'an empty text'
    )
    match_nothing = Assumption('A93', 'whether is_match with an empty text matches any value', 'yes', 'no')
    space_aggregator = Assumption('A94', 'space aggregator of a query without one', 'avg', 'sum', 'min', 'max')
    end_of_hold = Assumption(
        'A95', 'whether a value is held exactly 300 s after the last sample', 'included', 'excluded'
    )
    long_gap = Assumption(
        'A96', 'interpolation of a gap of more than 300 s, once the next sample has arrived', 'first 300 s', 'nothing'
    )
    short_month = Assumption(
        'A97', 'where a month begins that begins on the 29th to 31st, if it has no such day', 'last day'
    )
    resolved_member = Assumption(
        'A98', 'whether a monitor that is resolved by hand or by timeout_h counts as up in an SLO', 'no change'
    )
    folded_groups = Assumption(
        'I6', 'which changes notify if notify_by combines several groups', 'worst state', 'every sub-group'
    )
    unknown_wording = Assumption(
        'I7', 'wording of the condition in a notification about a sum or No Data', 'marked', 'left out'
    )

    def __init__(self, choices: Mapping[str, str] | None = None) -> None:
        self._choices = dict(choices or {})
        self.relied_on: set[str] = set()
        for id, choice in self._choices.items():
            if id not in ASSUMPTIONS:
                raise UnusableInputError(f'assumption {id!r}: unknown{did_you_mean(id, ASSUMPTIONS)}')
            allowed = ASSUMPTIONS[id].choices
            if choice not in allowed:
                raise UnusableInputError(
                    f'assumption {id}: found {choice!r}, allowed are {", ".join(map(repr, allowed))}'
                )

    @property
    def choices(self) -> Mapping[str, str]:
        """The choice for every assumption, by id."""
        return {id: self.peek(assumption) for id, assumption in ASSUMPTIONS.items()}

    def peek(self, assumption: Assumption) -> str:
        """Return the choice without recording it."""
        return self._choices.get(assumption.id, assumption.default)

    def rely_on(self, *assumptions: Assumption) -> None:
        """Record that the result relied on these assumptions."""
        self.relied_on.update(assumption.id for assumption in assumptions)

    def fresh(self) -> Self:
        """Return the same choices with nothing recorded."""
        return type(self)(self._choices)

    def switched(self, id: str, choice: str) -> Self:
        """Return these choices with one changed and nothing recorded."""
        return type(self)({**self._choices, id: choice})

    @property
    def relied_ids(self) -> tuple[str, ...]:
        """The ids of the assumptions that were relied on, in the order of the table."""
        return tuple(id for id in ASSUMPTIONS if id in self.relied_on) if self.relied_on else ()


def _table() -> Iterator[Assumption]:
    for value in vars(Assumptions).values():
        if isinstance(value, Assumption):
            yield value


#: Every assumption by id, in the order of the table.
ASSUMPTIONS: Mapping[str, Assumption] = {assumption.id: assumption for assumption in _table()}
