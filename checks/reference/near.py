"""The known id that an unknown one was most likely meant to be."""

from __future__ import annotations


def nearest(identifier: str, known: str, relation: str) -> str:
    """An SQL sentence that names the nearest known id at most two letters away, or NULL.

    `identifier` and `known` are SQL expressions, `known` over the rows of `relation`.
    """
    distance = f"levenshtein(lower({identifier}), lower({known}))"
    return (
        f"(SELECT 'Did you mean \"' || arg_min({known}, ({distance}, {known})) || '\"?' "
        f"FROM {relation} WHERE {distance} <= 2)"
    )
