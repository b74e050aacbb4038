"""Letters that the parties of an agreement send each other, made from the data for people to edit.

One file per kind of letter, with its NOTICE beside the function that writes it.
"""
