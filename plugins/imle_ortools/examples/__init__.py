"""Small examples of each solver for the conformance kit, one module a family."""
