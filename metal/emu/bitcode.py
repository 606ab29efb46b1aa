"""Makes what Apple's compiler wrote run here: a library's bitcode, with the emulator's lanes under it.

LLVM reads the bitcode as it is. Three things are changed in its text: address spaces go, threadgroup
variables become those of the thread that runs a threadgroup, and each kernel gets an entry that hands
over what its metadata asks for. The functions that the bitcode calls by names like `air.simd_sum.f32` are
written in C++ over the emulator's own. What a kernel of the sources is checked for besides (red zones,
garbage in threadgroup memory) is not checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from metal.emu import metallib
from metal.emu.metallib import KERNEL, MetallibError

PLACES = (
    "thread_position_in_threadgroup", "thread_position_in_grid",
    "threads_per_threadgroup", "threads_per_grid",
    "threadgroup_position_in_grid", "threadgroups_per_grid", "thread_index_in_threadgroup",
    "thread_index_in_simdgroup", "simdgroup_index_in_threadgroup",
    "simdgroups_per_threadgroup", "threads_per_simdgroup",
)  # fmt: skip
"""Where a lane stands: what a kernel may ask for, under the names that msl.h has for it."""

_TYPES = {
    "f32": "float", "f16": "half", "s.i32": "int", "u.i32": "uint", "s.i16": "short", "u.i16": "ushort",
    "s.i8": "char", "u.i8": "uchar", "s.i64": "long", "u.i64": "ulong", "f.f32": "float", "f.f16": "half",
}  # fmt: skip
_TYPE = "|".join(re.escape(name) for name in sorted(_TYPES, key=len, reverse=True))
_MATHS = "exp|log|tanh|sqrt|fabs|floor|rint"
_ATOMICS = {"add": "fetch_add", "or": "fetch_or", "min": "fetch_min", "max": "fetch_max"}


def modules(file: Path) -> list[tuple[str, str]]:
    """For each kernel its name and its LLVM IR, ready to be compiled for this machine.

    Raises:
        MetallibError: it asks for something that the emulator has not.
        ToolchainError: LLVM is not here, or does not read the bitcode.
    """
    kernels = [one for one in metallib.functions(file) if one.kind == KERNEL]
    return [(one.name, _portable(one.name, metallib.disassembled(one))) for one in kernels]


def _portable(name: str, text: str) -> str:
    given = _given(name, text)
    text = re.sub(r"^target .*\n|^@llvm\.global_ctors.*\n", "", text, flags=re.MULTILINE)
    # A threadgroup runs on one thread, so that what is that thread's own is the threadgroup's.
    text = re.sub(
        r"^(@\S+ = )(internal )?(unnamed_addr )?addrspace\(3\) global (.*) undef,",
        r"\1\2thread_local \3global \4 zeroinitializer,", text, flags=re.MULTILINE,
    )  # fmt: skip
    text = re.sub(r" ?addrspace\([123]\)", "", text)
    return text + _entry(name, given)


def _given(name: str, text: str) -> list[tuple[str, str, int]]:
    """For each parameter of a kernel: its type in IR, and the place it asks for or "buffer" and its index."""
    head = re.search(rf"^define [^@]*@{re.escape(name)}\((.*)\)[^()]*$", text, re.MULTILINE)
    rows = re.findall(r'^!\d+ = !\{i32 (\d+), !"air\.(\w+)"(.*"air\.arg_name".*)', text, re.MULTILINE)
    if head is None:
        raise MetallibError(f"the bitcode has no function {name}")
    types = [
        re.match(r"ptr|<\d+ x i\d+>|i\d+", one.strip()) for one in re.split(r",(?![^<(]*[>)])", head.group(1))
    ]
    found = []
    for (_, what, rest), kind in zip(sorted(rows, key=lambda row: int(row[0])), types, strict=True):
        index = re.search(r'!"air\.location_index", i32 (\d+)', rest)
        if kind is None or not (what in PLACES or (what == "buffer" and index)):
            raise MetallibError(f"{name} asks for {what}, which is not emulated")
        found.append((kind.group(), what, int(index.group(1)) if index else 0))
    return found


def _entry(name: str, given: Iterable[tuple[str, str, int]]) -> str:
    """A function in IR that calls the kernel: the vectors' way into a function is not the same in C++."""
    lines, values = [], []
    for at, (kind, what, index) in enumerate(given):
        if what == "buffer":
            lines.append(f"  %p{at} = getelementptr ptr, ptr %all, i64 {index}")
            lines.append(f"  %v{at} = load ptr, ptr %p{at}")
            values.append(f"ptr %v{at}")
            continue
        count = int(kind[1]) if kind.startswith("<") else 0
        element = kind.split()[-1].rstrip(">")
        last = "poison"
        for axis in range(max(1, count)):
            lines.append(f"  %w{at}.{axis} = call i32 @msl_place(i32 {PLACES.index(what)}, i32 {axis})")
            scalar = f"%w{at}.{axis}"
            if element != "i32":
                change = "trunc" if int(element[1:]) < 32 else "zext"
                lines.append(f"  %x{at}.{axis} = {change} i32 {scalar} to {element}")
                scalar = f"%x{at}.{axis}"
            if count:
                lines.append(f"  %v{at}.{axis} = insertelement {kind} {last}, {element} {scalar}, i32 {axis}")
                scalar = last = f"%v{at}.{axis}"
            last = scalar
        values.append(f"{kind} {last}")
    body = "\n".join([*lines, f"  call void @{name}({', '.join(values)})", "  ret void"])
    return f'\ndefine void @"entry.{name}"(ptr %all) {{\n{body}\n}}\ndeclare i32 @msl_place(i32, i32)\n'


def glue(file: Path, table: str, texts: Iterable[str]) -> str:
    """The C++ beside the kernels: the functions that they call, and the table of their entries."""
    called = sorted(set(re.findall(r"^declare .*@(air\.[\w.]+)\(", "\n".join(texts), re.MULTILINE)))
    places = "".join(
        f"    case {at}: return attribute_{name}<uint3>()[axis];\n" for at, name in enumerate(PLACES)
    )
    parts = ['#include "msl.h"\n', _HEAD, *map(_function, called), "namespace msl {\n"]
    parts.append('extern "C" uint32_t msl_place(uint32_t which, uint32_t axis) {\n  switch (which) {\n')
    parts.append(places)
    parts.append("  }\n  return 0;\n}\n}\n")
    rows = []
    for number, one in enumerate(one for one in metallib.functions(file) if one.kind == KERNEL):
        types = " ".join(f"{row.type}:{row.size}" for row in metallib.compiled(one).arguments)
        parts.append(f'extern "C" void entry_{number}(const msl::Arguments &) __asm__("entry.{one.name}");\n')
        parts.append(f'static std::string types_{number}() {{ return "{types}"; }}\n')
        rows.append(f'{{"{one.name}", entry_{number}, types_{number}}}')
    rows.append("{nullptr, nullptr, nullptr}")
    return "".join(parts) + f"extern const msl::KernelEntry {table}[] = {{{', '.join(rows)}}};\n"


_HEAD = """
#include <limits>
#include <string>
using namespace metal;
template <class To, class From> static To converted(From x) {
  if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    using limits = std::numeric_limits<To>;
    double wide = double(x);
    return wide != wide ? To(0) : wide <= double(limits::min()) ? limits::min()
         : wide >= double(limits::max()) ? limits::max() : To(wide);
  } else {
    return To(x);
  }
}
"""


def _function(name: str) -> str:
    """One function that bitcode calls, in C++; raises `MetallibError` for one that is not emulated."""
    for pattern, make in _FUNCTIONS:
        found = re.fullmatch(pattern, name)
        if found:
            return make(name, *found.groups()) + "\n"
    raise MetallibError(f"the bitcode calls {name}, which is not emulated")


def _defined(name: str, result: str, parameters: str, body: str) -> str:
    label = re.sub(r"\W", "_", name)
    head = f'extern "C" {result} {label}({parameters})'
    return f'{head} __asm__("{name}");\n{head} {{ {body} }}'


def _convert(name: str, to: str, source: str) -> str:
    wanted, given = _TYPES[to], _TYPES[source]
    return _defined(name, wanted, f"{given} x", f"return converted<{wanted}, {given}>(x);")


def _simd(name: str, operation: str, kind: str) -> str:
    one = _TYPES[kind]
    moves = operation.startswith(("shuffle", "broadcast"))
    parameters = f"{one} x, ushort which" if moves else f"{one} x"
    return _defined(name, one, parameters, f"return simd_{operation}(x{', which' * moves});")


def _math(name: str, function: str, kind: str) -> str:
    return _defined(name, _TYPES[kind], f"{_TYPES[kind]} x", f"return metal::{function}(x);")


def _two(name: str, function: str, kind: str) -> str:
    one = _TYPES[kind]
    return _defined(name, one, f"{one} x, {one} y", f"return metal::{function.lstrip('f')}<{one}>(x, y);")


def _fused(name: str, kind: str) -> str:
    one = _TYPES[kind]
    return _defined(name, one, f"{one} x, {one} y, {one} z", f"return {one}(metal::fma(x, y, z));")


def _atomic(name: str, operation: str, kind: str) -> str:
    one = _TYPES[kind]
    done = f"return atomic_{_ATOMICS[operation]}_explicit((atomic<{one}> *)at, x, memory_order_relaxed);"
    return _defined(name, one, f"void *at, {one} x, int, int, bool", done)


def _barrier(name: str, kind: str) -> str:
    function = "threadgroup_barrier" if kind == "wg" else "simdgroup_barrier"
    return _defined(name, "void", "int, int", f"{function}(mem_flags::mem_threadgroup);")


_FUNCTIONS: list[tuple[str, Callable[..., str]]] = [
    (rf"air\.convert\.({_TYPE})\.({_TYPE})", _convert),
    (
        rf"air\.simd_(sum|product|min|max|prefix_inclusive_sum|prefix_exclusive_sum"
        rf"|shuffle|shuffle_up|shuffle_down|shuffle_xor|broadcast)\.({_TYPE})",
        _simd,
    ),
    (rf"air\.(?:fast_|precise_)?({_MATHS})\.({_TYPE})", _math),
    (rf"air\.(?:fast_)?(fmin|fmax|min|max)\.({_TYPE})", _two),
    (rf"air\.fma\.({_TYPE})", _fused),
    (rf"air\.atomic\.(?:global|local)\.({'|'.join(_ATOMICS)})\.({_TYPE})", _atomic),
    (r"air\.(wg|simdgroup)\.barrier", _barrier),
]
