"""A solver for imle_core: disjoint windows of a series with the largest total score."""
