"""Kernels made from the text of the cells: a step, or whole sequences, on a GPU or a CPU."""
