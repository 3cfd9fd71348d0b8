"""`python -m secgate`."""

from secgate.cli import main

main()
