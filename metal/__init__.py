"""Metal kernels, and the emulator that runs them on a CPU: part of a checkout, not of the package."""
