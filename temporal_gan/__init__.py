"""Conditional temporal video GAN: pose sequences and expressions to short anime character clips."""
