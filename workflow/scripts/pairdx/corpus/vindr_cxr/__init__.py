"""VinDr-CXR: chest X-rays of two hospitals in Vietnam, labelled by radiologists."""
