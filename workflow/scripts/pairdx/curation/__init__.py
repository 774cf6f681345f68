"""From candidates to pairs.

Every candidate is kept, out of distribution, or rejected with a reason.
"""
