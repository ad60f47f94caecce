"""Packages for some commands only: each belongs to an extra of `ddassets`, such as `ddassets[org]`."""

from ddassets.diagnostic import UnusableInputError

#: Imported module -> extra. The test of the packaging compares it with pyproject.toml.
EXTRAS = {
    'uv': 'check',
    'time_machine': 'check',
    'platformdirs': 'check',
    'datadog_api_client': 'org',
    'urllib3': 'org',
    'certifi': 'org',
    'markdown_it': 'report',
    'hcl2': 'terraform',
    'zstandard': 'sandbox',
    'matplotlib': 'sandbox',
}


def missing_extra(error: ModuleNotFoundError, subject: str) -> UnusableInputError | None:
    """Return the error with the extra to install; None if the module belongs to no extra.

    `subject` is what requires it, such as `ddassets plan`.
    """
    module = (error.name or '').partition('.')[0]
    extra = EXTRAS.get(module)
    if extra is None:
        return None
    return UnusableInputError(
        f"{subject} needs the extra '{extra}' ({module} is not installed): "
        f'install ddassets with [{extra}], see "Install" in ddassets/README.md of its repository'
    )
