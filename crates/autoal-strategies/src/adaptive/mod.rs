//! Strategies that mix others and learn from the labels that come back.
