"""How a picture becomes a file. Only what writes files imports this.

`composing` is the whole way; `forms` are what a picture can be written as, with networks, an exact layer or both; `choosing` finds the
form that costs least, by `trials` where that is in doubt; `rate_search` finds the level for a target; `previews` makes the small copy.
"""
