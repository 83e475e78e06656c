"""What the log of a campaign means: pure folds over its events, O(1) each, without a clock, a file or a decision."""
