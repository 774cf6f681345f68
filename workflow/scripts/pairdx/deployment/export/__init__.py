"""How a deployed folder is made of a system's cell: by the workflow, with all that it has.

Nothing that reads such a folder imports this.
"""
