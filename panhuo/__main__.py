"""`panhuo` and `python -m panhuo`: the command line."""

import sys


def main() -> None:
    """Runs the command line; Ctrl-C while it still loads ends it without a traceback too."""
    try:
        from panhuo.cli import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.exit(2)


if __name__ == "__main__":
    main()
