//! Black-box and whole-tree tests, one binary.
