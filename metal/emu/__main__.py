"""`python -m metal.emu manifest | lint | build [LANE...] | check FILE.metallib`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from metal.emu import build, lint, manifest, metallib
from metal.emu.metallib import MetallibError
from metal.emu.tokens import MslError
from metal.emu.toolchain import FLAGS, Lane, ToolchainError


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0, 1 with what is wrong on stderr, 2 for wrong usage."""
    try:
        match arguments:
            case ["manifest"]:
                manifest.PATH.write_text(manifest.as_text(manifest.from_sources()), encoding="utf-8")
                sys.stdout.write(f"{manifest.PATH}\n")
            case ["lint"]:
                lint.check(build.library())
            case ["build", *lanes] if set(lanes) <= set(FLAGS):
                for lane in lanes or ["plain"]:
                    sys.stdout.write(f"{build.program(build.library(), cast('Lane', lane))}\n")
            case ["check", file]:
                found = metallib.differences(Path(file), manifest.read())
                sys.stdout.write("\n".join(found or ["as the manifest says"]) + "\n")
                return 1 if found else 0
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return 2
    except (MslError, MetallibError, ToolchainError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
