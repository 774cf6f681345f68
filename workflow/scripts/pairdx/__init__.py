"""The PairDx library: from raw case-report corpora to a comparison of image-text classifiers.

Plain Python that knows nothing of Snakemake. The rooms, in the order in which data flows; none
imports one further down: fetching, corpus, curation, splits, siblings, leakage, packing,
dataset_archive, words, word_vectors, training, models, evaluation, reporting. Below them all lie
errors, storage_errors, seals, sheets, files, stores, logs, joins, ordering, subsets, machine,
programs, image_containers and images.
"""
