"""`python -m cutpoint` is the command `cutpoint`."""

from cutpoint.cli import main

if __name__ == "__main__":
    main()
