"""Commands: a module each, with its help, its arguments and what it does."""
