"""The demo: a butterfly in place of a dense layer, on handwritten digits."""
