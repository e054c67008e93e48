//! Strategies that weigh informativeness and diversity in one choice.
