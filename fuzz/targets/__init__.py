"""The fuzz targets, a module each: `run` takes any bytes, and raises BrokenLaw when the program breaks a law.

No module here knows who calls it: a campaign guided by coverage, or the tests with the kept inputs.
"""
