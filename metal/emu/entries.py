"""The C++ that calls each kernel with what the host handed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metal.emu.translate import Translation

_HEAD = """
#line 1 "entry points"
#include <string>
#include <tuple>
namespace msl_entries {
template <unsigned n, class F> struct argument;
template <unsigned n, class R, class... A> struct argument<n, R (*)(A...)> {
  using type = std::tuple_element_t<n, std::tuple<A...>>;
};
template <class T> struct named { static const char *name() { return "struct"; } };
#define MSL_NAMED(type) template <> struct named<type> { static const char *name() { return #type; } };
MSL_NAMED(char) MSL_NAMED(uchar) MSL_NAMED(ushort) MSL_NAMED(int) MSL_NAMED(uint) MSL_NAMED(ulong)
MSL_NAMED(half) MSL_NAMED(float) MSL_NAMED(float2)
template <> struct named<metal::atomic_uint> { static const char *name() { return "atomic_uint"; } };
template <class T> using bare = std::remove_cv_t<std::remove_pointer_t<std::remove_reference_t<T>>>;
template <class T> std::string type_name() {
  return std::string(named<bare<T>>::name()) + ":" + std::to_string(sizeof(bare<T>));
}
"""


def entries(translation: Translation, table: str) -> str:
    """A function for each kernel, and the table of them under the C name `table`."""
    parts, rows = [_HEAD], []
    for number, kernel in enumerate(translation.kernels):
        given = translation.functions[re.split(r"[<\s]", kernel.function, maxsplit=1)[0]]
        values, types = [], []
        for place, parameter in enumerate(given):
            kind = f"typename argument<{place}, decltype(&::{kernel.function})>::type"
            if parameter.attribute == "buffer":
                by_value = "&" in parameter.type
                pointer = f"std::remove_const_t<{kind}> *" if by_value else kind
                values.append(f"{'*' * by_value}({pointer})a.buffers[{parameter.index}]")
                types.append((parameter.index, f"type_name<{kind}>()"))
            else:
                values.append(f"msl::attribute_{parameter.attribute}<{kind}>()")
        call = f"::{kernel.function}({', '.join(values)});"
        parts.append(f"static void entry_{number}(const msl::Arguments &a) {{ {call} }}\n")
        names = ' + " " + '.join(f"{name}" for _, name in sorted(types))
        parts.append(f"static std::string types_{number}() {{ return std::string() + {names}; }}\n")
        rows.append(f'{{"{kernel.name}", entry_{number}, types_{number}}}')
    parts.append(f"}}\nusing namespace msl_entries;\nextern const msl::KernelEntry {table}[] = ")
    parts.append("{" + ", ".join([*rows, "{nullptr, nullptr, nullptr}"]) + "};\n")
    return "".join(parts)


def uses(translation: Translation) -> str:
    """The C++ that makes the compiler look into every instance, without running any."""
    return "".join(
        f'\n#line 1 "{kernel.name}"\n[[maybe_unused]] static auto use_{number} = &::{kernel.function};'
        for number, kernel in enumerate(translation.kernels)
    )
