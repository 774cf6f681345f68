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

Readers of data in which any number of classes can be true of an image (``SEVERAL``) write two
further columns: ``findings`` (see :mod:`pairdx.corpus.findings`), with ``label`` left empty, and
``left_out``, why a candidate is none (another view, say). ``attrs["vocabulary"]`` lists all
findings that the data could state.

Nothing else names a reader but the ``reader`` of a dataset in config/datasets, and rules that make
its files: those that download, and the one that draws.
"""
