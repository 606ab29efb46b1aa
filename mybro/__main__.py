"""`python -m mybro` and the `mybro` command."""

from __future__ import annotations

import sys


def main() -> None:
    from mybro.cli import main as cli

    sys.exit(cli())


if __name__ == "__main__":
    main()
