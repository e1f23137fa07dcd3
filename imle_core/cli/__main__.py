"""``python -m imle_core.cli``: the command ``imle`` where its script is not on the path."""

from . import main

if __name__ == "__main__":
    main()
