//! What can be read off a round, and along what it is drawn.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::schema::Round;

/// A measure of the task model on the test set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Share of the test set that is classified correctly.
    #[default]
    Accuracy,
    /// Mean recall over the classes: accuracy that a skewed class balance cannot flatter.
    BalancedAccuracy,
    /// Mean cross-entropy on the test set, in nats.
    Loss,
    /// Expected calibration error.
    Ece,
}

impl Metric {
    /// All metrics, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Accuracy, Self::BalancedAccuracy, Self::Loss, Self::Ece];

    /// The values that the metric can have; bands are drawn no further.
    pub(crate) fn range(self) -> (f64, f64) {
        match self {
            Self::Accuracy | Self::BalancedAccuracy | Self::Ece => (0.0, 1.0),
            Self::Loss => (0.0, f64::INFINITY),
        }
    }

    /// The name in options and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced-accuracy",
            Self::Loss => "loss",
            Self::Ece => "ece",
        }
    }

    /// The words on an axis.
    pub fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "Test accuracy",
            Self::BalancedAccuracy => "Balanced test accuracy",
            Self::Loss => "Test loss",
            Self::Ece => "Expected calibration error",
        }
    }

    /// Whether a larger value is a better model.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::Accuracy | Self::BalancedAccuracy)
    }

    /// Shown in percent (`true`) or as it is.
    pub fn is_share(self) -> bool {
        self != Self::Loss
    }

    /// The value of a round, where it was recorded and is a number.
    pub fn of(self, round: &Round) -> Option<f64> {
        let value = match self {
            Self::Accuracy => round.accuracy,
            Self::BalancedAccuracy => round.balanced_accuracy,
            Self::Loss => round.loss,
            Self::Ece => round.ece,
        };
        value.filter(|v| v.is_finite())
    }

    /// Writes `value` into a round.
    pub(crate) fn set(self, round: &mut Round, value: f64) {
        let slot = match self {
            Self::Accuracy => &mut round.accuracy,
            Self::BalancedAccuracy => &mut round.balanced_accuracy,
            Self::Loss => &mut round.loss,
            Self::Ece => &mut round.ece,
        };
        *slot = Some(value);
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_lowercase().replace(['_', ' '], "-").as_str() {
            "accuracy" | "acc" | "test-accuracy" => Ok(Self::Accuracy),
            "balanced-accuracy" | "bacc" => Ok(Self::BalancedAccuracy),
            "loss" | "test-loss" => Ok(Self::Loss),
            "ece" | "calibration-error" => Ok(Self::Ece),
            other => Err(format!("unknown metric `{other}`; known are accuracy, balanced-accuracy, loss, ece")),
        }
    }
}

/// What the horizontal axis of a learning curve counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Labels, on a linear scale.
    #[default]
    Labels,
    /// Labels, on a logarithmic scale: early rounds get more room.
    LogLabels,
    /// Labels as a share of the pool.
    PoolShare,
}

impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "labels" => Ok(Self::Labels),
            "log-labels" => Ok(Self::LogLabels),
            "pool-share" => Ok(Self::PoolShare),
            other => Err(format!("unknown axis `{other}`; known are labels, log-labels, pool-share")),
        }
    }
}
