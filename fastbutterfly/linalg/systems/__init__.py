"""Square systems by random butterflies."""
