"""What can be made of predictions of one label per pair."""

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
)
