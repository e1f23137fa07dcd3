r"""Shortest paths from pixels: a convolutional network that learns costs from best paths alone.

``imle demo warcraft`` trains it: pixels of a map -> network -> one cost a cell -> Dijkstra's problem as a layer ->
path, compared with the best path. The gradient passes the solver by implicit maximum likelihood estimation; the
true costs are never shown. Three sources of maps:

- generated, the default: random terrain with the statistics of the published maps, painted in our own art::

      imle demo warcraft --out runs/demo

- the published archive: a folder with ``train_maps.npy``, ``train_shortest_paths.npy``, ... of one size::

      imle demo warcraft --data DIR/warcraft_shortest_path_oneskin/12x12 --epochs 50 --lr 5e-4

- tiles of real maps. Training maps are built from the tiles of one half of the real maps, and testing is on the
  real maps of the other half. Leakage is excluded by number: each test map is recognised by its pixels in the
  atlas, and left out if it gave tiles to training. One command a half::

      imle demo warcraft --tiles DIR/warcraft_tile_atlas_8x8.npz --tile-maps even \
          --test-maps DIR/warcraft_12x12_labelled8.npz --test-maps DIR/warcraft_12x12_pseudo20.npz --out runs/even
      imle demo warcraft --tiles DIR/warcraft_tile_atlas_8x8.npz --tile-maps odd \
          --test-maps DIR/warcraft_12x12_labelled8.npz --test-maps DIR/warcraft_12x12_pseudo20.npz --out runs/odd

A run leaves ``checkpoint.pt``, ``metrics.json`` and ``warcraft.png``. Ctrl-C ends the training and leaves them as
well, from the best epoch, with exit code 130; ``--resume`` goes on exactly, from the last finished epoch.

Reference:
    Vlastelica, Paulus, Musil, Martius and Rolinek (2020), Differentiation of Blackbox Combinatorial Solvers;
    Niepert, Minervini and Franceschi (2021), Implicit MLE.
"""
