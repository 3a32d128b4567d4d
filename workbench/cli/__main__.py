"""`python -m workbench.cli`: the same program as `workbench`."""

from workbench.cli import main

main()
