"""From candidates to pairs.

Every candidate is kept, set aside as out of distribution, or rejected with a reason.
"""
