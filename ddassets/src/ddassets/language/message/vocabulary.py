"""The names of the conditionals (rule 4.2) and of the variables of a message that are not tags (rule 4.6)."""

#: Conditionals that depend only on the transition.
FLAGS = frozenset(
    {
        'is_alert',
        'is_alert_recovery',
        'is_alert_to_warning',
        'is_no_data',
        'is_no_data_recovery',
        'is_recovery',
        'is_renotify',
        'is_unknown',
        'is_warning',
        'is_warning_recovery',
    }
)
#: Conditionals that compare an operand.
MATCHES = frozenset({'is_match', 'is_exact_match'})
TESTS = MATCHES | {'is_priority'}
CONDITIONALS = tuple(sorted(FLAGS | TESTS))
#: The variables that are times (rule 4.7).
TIME_VARIABLES = frozenset({
    'first_triggered_at', 'first_triggered_at_epoch', 'last_triggered_at', 'last_triggered_at_epoch',
    'triggered_duration_sec',
})  # fmt: skip
#: The variables that are not tags.
BARE_VARIABLES = TIME_VARIABLES | {
    'value', 'threshold', 'warn_threshold', 'alert_recovery_threshold', 'warn_recovery_threshold', 'ok_threshold',
    'comparator', 'check_message',
}  # fmt: skip
