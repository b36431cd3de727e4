"""Evaluation: made clips against real ones under a named protocol, with anchors, intervals and a report."""
