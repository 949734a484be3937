"""Plans: how the kernels of a structure are prepared and run on threads."""
