//! Strategies that cover the pool: they look at embeddings, and most do not look at predictions.
