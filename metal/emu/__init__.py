"""Compiles unedited `.metal` files with clang and runs them on a CPU, lane by lane."""
