"""What can be made of predictions of one label per pair, and the names of what is computed."""

# Whether any number of classes can be true of a pair.
SEVERAL = False
# In the order of metrics.py, which declares them.
METRICS = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "weighted_f1",
    "macro_auroc",
    "macro_average_precision",
    "brier_score",
    "expected_calibration_error",
)
ANALYSES = (
    "comparison",
    "seeds",
    "per_class",
    "confusion",
    "mistakes",
    "disagreements",
    "calibration",
    "out_of_distribution",
    "system_tests",
    "split_effect",
    "leakage_price",
    "prompt_sensitivity",
    "input_probes",
    "explanations",
    "tested_on",
    "pairings",
    "inference_cost",
)
