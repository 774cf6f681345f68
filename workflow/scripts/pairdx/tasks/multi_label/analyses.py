"""What can be made of predictions of several labels per pair, and the names of what is computed."""

# Whether any number of classes can be true of a pair.
SEVERAL = True
# In the order of metrics.py, which declares them.
METRICS = (
    "macro_auroc",
    "macro_average_precision",
    "macro_f1",
    "macro_mcc",
    "brier_score",
    "expected_calibration_error",
)
ANALYSES = (
    "findings",
    "findings_comparison",
    "findings_tests",
    "findings_calibration",
    "finding_prompts",
    "tested_on_findings",
    "tuning",
)
