"""`python -m panhuo`: the command line."""

from panhuo.cli import main

main()
