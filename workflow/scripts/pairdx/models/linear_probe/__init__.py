"""The family linear_probe: logistic regressions on the features of a frozen encoder."""
