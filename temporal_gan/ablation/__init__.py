"""Ablations: one question in one file, arms by seeds, and what comes out as a table, plots and clips."""
