import subprocess


def monthly(month):
    return subprocess.check_output("report --month " + month, shell=True)
