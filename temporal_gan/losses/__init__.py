"""Losses as pure functions returning one value per clip; their weights are applied in training/step.py alone."""
