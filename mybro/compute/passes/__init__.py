"""Which kernels make up an operation, in what order and over what grid: the same for every device."""

from __future__ import annotations

from mybro.compute.passes.batched import cosine, cosine_queries, dot, dot_queries
from mybro.compute.passes.maps import binary, unary
from mybro.compute.passes.moves import copy, repack, transpose
from mybro.compute.passes.quantisation import dequantise, quantise
from mybro.compute.passes.reductions import histogram, masked_sum, reduce, variance
from mybro.compute.passes.scans import compact, scan

__all__ = [
    "binary",
    "compact",
    "copy",
    "cosine",
    "cosine_queries",
    "dequantise",
    "dot",
    "dot_queries",
    "histogram",
    "masked_sum",
    "quantise",
    "reduce",
    "repack",
    "scan",
    "transpose",
    "unary",
    "variance",
]
