"""Metrics: pure functions of tensors. They receive frames, flows, masks and readings, never call a model."""
