"""The names of the conditionals of a message (rule 4.2)."""

#: Conditionals that the transition alone decides.
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
TESTS = frozenset({'is_priority', 'is_match', 'is_exact_match'})
CONDITIONALS = tuple(sorted(FLAGS | TESTS))
