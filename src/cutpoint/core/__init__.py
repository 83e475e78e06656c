"""Mathematics: arrays in, arrays out. No I/O, no clock, no global random state, numpy only."""
