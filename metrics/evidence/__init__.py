"""Exact statistics for small counts, on arrays: O observed, E expected, N intake, s share.

Everything takes and gives arrays of float (one element per agreement or contract, or per
agreement and month); scalars work too. Only `scipy.special` is used: `scipy.stats` gives the same
numbers and takes a second to load.

`overdispersion` is the variance of a count divided by its mean: 1 if clients arrive one by one
(Poisson), more if they come in clumps. At 1 every formula is the Poisson one, exactly.
"""
