"""Our Metal kernels beside MLX's own operations, and beside a copy where MLX has none.

    python -m benchmarks.metal_bench [--json] [--quick]

It needs an Apple GPU. Without one there are no figures: the notes give the ceilings that a chip's memory
allows, as computed.
"""

from __future__ import annotations

import argparse

from benchmarks.harness import report
from mybro.compute import measure, roofline

QUICK = (4 * 2**20, 5)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="short arrays")
    options = parser.parse_args()
    why = measure.missing()
    if why:
        gbps = roofline.BANDWIDTH_GBPS[roofline.ASSUMED]
        notes = [f"nothing is measured here: {why}", *roofline.table_of_ceilings(roofline.ASSUMED, gbps)]
        report({}, as_json=options.json, notes=notes)
        return
    elements, rounds = QUICK if options.quick else (measure.ELEMENTS, measure.ROUNDS)
    figures = measure.as_figures(measure.measure(elements, rounds))
    report(figures, as_json=options.json, notes=[measure.chip()])


if __name__ == "__main__":
    main()
