"""Training loops, and what they take and return."""
