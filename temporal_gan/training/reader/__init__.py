"""Training of the reader: frames to read, the algorithm, and the run."""
