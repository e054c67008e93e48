//! Learning-rate schedules by epoch, as PyTorch's `MultiStepLR` and `CosineAnnealingLR` give them when stepped once an epoch.

use crate::config::ScheduleConfig;

impl ScheduleConfig {
    /// Factor and offset are applied to the base rate `lr`: the learning rate of `epoch` (from 0) of `epochs`.
    pub fn rate(&self, lr: f64, epoch: usize, epochs: usize) -> f64 {
        match self {
            Self::Constant {} => lr,
            Self::MultiStep { milestones, gamma } => {
                let passed = milestones.iter().filter(|milestone| epoch_of(**milestone, epochs) <= epoch).count();
                lr * gamma.powi(passed as i32)
            }
            Self::Cosine { minimum } => {
                let phase = std::f64::consts::PI * epoch as f64 / epochs as f64;
                minimum + (lr - minimum) * f64::midpoint(1.0, phase.cos())
            }
        }
    }

    /// Whether every value is in range; the message names the key and what was expected.
    pub fn check(&self, epochs: usize) -> Result<(), String> {
        match self {
            Self::Constant {} => Ok(()),
            Self::MultiStep { milestones, gamma } => {
                if !(gamma.is_finite() && *gamma > 0.0) {
                    return Err(format!("`schedule.gamma` is {gamma}, expected a number above 0"));
                }
                match milestones.iter().find(|m| !(m.is_finite() && **m > 0.0 && (**m < 1.0 || m.fract() == 0.0))) {
                    Some(bad) => Err(format!(
                        "`schedule.milestones` has {bad}, expected a fraction of the {epochs} epochs below 1, or a whole epoch"
                    )),
                    None => Ok(()),
                }
            }
            Self::Cosine { minimum } if minimum.is_finite() && *minimum >= 0.0 => Ok(()),
            Self::Cosine { minimum } => Err(format!("`schedule.minimum` is {minimum}, expected at least 0")),
        }
    }
}

/// The epoch that a milestone means.
fn epoch_of(milestone: f64, epochs: usize) -> usize {
    if milestone < 1.0 { (milestone * epochs as f64).round() as usize } else { milestone as usize }
}
