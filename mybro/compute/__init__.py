"""What is computed with on this machine: arrays on the GPU, or the same results without one."""
