"""Does the profile fit the cluster? What a job finds on its node, and what that means.

A room for a check that runs before anything else does: packages may be missing on the node, so
everything here needs the standard library only, and imports more where it can do without.
"""
