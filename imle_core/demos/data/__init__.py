"""Data sets of the examples on graphs: where they are found, how they are read, and stand-ins for them.

None of them is part of this package. Each has a reader and a generator of data of the same structure, so that an
example runs without any file:

- :mod:`.roads`: road networks with the travel times of traffic in equilibrium (TNTP files);
- :mod:`.layouts`: vertices that move as a spanning tree which nobody shows pulls them;
- :mod:`.planning`: planning maps with the optimal steps to a goal;
- :mod:`.energy`: prices of electricity, with what was known of them the day before.
"""
