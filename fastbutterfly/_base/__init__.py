"""Arguments, memory, layout, threads, files: what knows nothing of butterflies."""
