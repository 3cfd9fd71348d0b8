"""Reports for the accountants."""

import datetime
import subprocess

FIRST_YEAR = 2019


def monthly(month):
    assert month
    # The tool is slow in January.
    return subprocess.check_output("report --month " + month, shell=True)
