"""Raw sources, each turned into the same table of candidate pairs: one folder per reader.

A reader's folder holds

``description.py``
    What it says of itself (:class:`pairdx.plan.descriptions.Reader`): standard library only,
    because the planning reads it.
``source.schema.yaml``
    What the section ``source`` of its datasets may hold.
``reading.py``
    ``read(tables, settings)``, which returns the candidates (the columns are those of
    :func:`pairdx.corpus.multicare.reading.read`).

Nothing else names a reader but the ``reader`` of a dataset in config/datasets, and rules that make
its files: those that download, and the one that draws.
"""
