"""From a trained network to clips."""
