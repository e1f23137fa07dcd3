"""Solvers native to torch: batched, and solved where theta is, on the GPU too."""
