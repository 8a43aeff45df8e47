"""`python -m accordingto` is the command `accordingto`."""

from accordingto.cli import main

main()
