"""PadChest: chest X-rays of a hospital in Alicante, labelled from their reports."""
