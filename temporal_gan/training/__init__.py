"""Training: state, the algorithm (step), the loop around it, and what it writes."""
