"""`python -m ddassets`."""

from ddassets.cli import main

if __name__ == '__main__':
    raise SystemExit(main())
