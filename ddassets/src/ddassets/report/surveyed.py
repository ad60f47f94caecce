"""Convert the surveys of monitors to the page."""

from importlib.metadata import version

from ddassets.diagnostic import Severity
from ddassets.output.terminal import shown_path
from ddassets.rehearsal.auto.answers import Survey
from ddassets.rehearsal.auto.estate import Estate
from ddassets.report import model


def page(estate: Estate, name: str) -> model.Page:
    """Return the page of a table with a row for each monitor. `name` is the name of the surveyed path."""
    return model.Page(
        name, version('ddassets'), [], model.Pool(), [_survey(estate, survey) for survey in estate.surveys]
    )


def _survey(estate: Estate, survey: Survey) -> model.Survey:
    verdicts = {
        'Alert': survey.alert,
        'Warn': survey.warn,
        'Recovery': survey.recovery,
        'No Data': survey.no_data,
    }
    return model.Survey(
        name=survey.name,
        file=shown_path(survey.asset.path),
        query=survey.asset.query,
        unsupported=survey.unsupported,
        answers={state: (verdict.answer, verdict.reason) for state, verdict in verdicts.items()},
        page_after=survey.page_after,
        recovery_after=survey.recovery_after,
        notified={kind: list(handles) for kind, handles in survey.notified.items()},
        faults=[(_SEVERITIES[fault.severity], fault.message) for fault in estate.diagnostics_of(survey)],
        stub=survey.stubbed,
        pace=survey.pace,
        assumptions=list(survey.assumptions),
    )


_SEVERITIES = {Severity.ERROR: 'error', Severity.WARNING: 'warning', Severity.NOTE: 'note'}
