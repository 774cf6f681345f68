"""The names of the subsets that every split divides the pairs into, and of what these may share."""

SUBSETS = ("train", "validation", "test")
# What may be shared between subsets, and the column of the pairs that tells.
LEAKAGE_KINDS = {
    "article": "article_id",
    "case": "case_id",
    "figure": "figure_id",
    "caption": "caption_cluster",
    "near_duplicate_image": "duplicate_cluster",
}
