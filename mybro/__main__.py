"""`python -m mybro` and the `mybro` command."""

from __future__ import annotations

import sys


def main() -> None:
    try:
        from mybro.quick import quick

        status = quick(sys.argv[1:])
        if status is not None:
            sys.exit(status)
        from mybro.cli import main as cli

        sys.exit(cli())
    except KeyboardInterrupt:
        # Ctrl-C before there is a command, or while it is leaving.
        sys.exit(130)


if __name__ == "__main__":
    main()
