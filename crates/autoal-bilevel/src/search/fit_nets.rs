//! FitNets that keep learning while SearchNet does (specification 4.3, points 1 and 6).
//!
//! Each learns on the samples that it was trained on, by `L_F = Σ sg(m_j) ℓ_j / Σ sg(m_j) + mean ℓ` with the mask `m` of the step, and
//! judges those of its fold, which it never sees.

use autoal_models::{Input, Network, cross_entropy_per_sample};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Trained, adam, finite};
use crate::BilevelError;
use crate::tensors::{host_f64, scalar, tensor_1d};

/// One FitNet a fold.
pub struct FitNets<'a> {
    nets: Vec<Trained<Network>>,
    /// The fold of each labeled sample, `[n]`.
    fold_of: Vec<usize>,
    /// Its class, `[n]`.
    classes: Vec<usize>,
    /// Inputs of some labeled samples.
    inputs: &'a dyn Fn(&[usize]) -> Result<Input, BilevelError>,
    lr: f64,
    device: &'a Device,
}

impl<'a> FitNets<'a> {
    /// Takes up the training of networks, one a fold; `device` is without gradients.
    pub fn new(
        nets: Vec<Network>,
        fold_of: Vec<usize>,
        classes: Vec<usize>,
        inputs: &'a dyn Fn(&[usize]) -> Result<Input, BilevelError>,
        lr: f64,
        device: &'a Device,
    ) -> Self {
        let nets = nets.into_iter().map(|net| Trained::new(net.train(), adam())).collect();
        Self { nets, fold_of, classes, inputs, lr, device }
    }

    /// The FitNet of a fold as it is now.
    pub fn network(&self, fold: usize) -> Network {
        self.nets[fold].net.valid()
    }

    /// One step of every FitNet on those of `rows` that are not of its fold, `mask` being of the same length; also the mean of `L_F`.
    pub fn step(mut self, rows: &[usize], mask: &[f64], step: usize) -> Result<(Self, f64), BilevelError> {
        let (mut nets, mut losses) = (Vec::with_capacity(self.nets.len()), Vec::new());
        for (fold, net) in std::mem::take(&mut self.nets).into_iter().enumerate() {
            let own: Vec<usize> = (0..rows.len()).filter(|&at| self.fold_of[rows[at]] != fold).collect();
            if own.is_empty() {
                nets.push(net);
                continue;
            }
            let own_rows: Vec<usize> = own.iter().map(|&at| rows[at]).collect();
            let weights: Vec<f32> = own.iter().map(|&at| mask[at] as f32).collect();
            let (forward, statistics) = net.net.forward_train((self.inputs)(&own_rows)?, None);
            let loss = fit_loss(cross_entropy_per_sample(forward.logits, self.classes(&own_rows)), &weights, self.device);
            losses.push(finite(scalar(&loss), step, "FitNet", "fit-lr")?);
            nets.push(net.step(&mut loss.backward(), self.lr).0.map(|net| net.absorb(statistics)));
        }
        self.nets = nets;
        let mean = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        Ok((self, mean))
    }

    /// Cross-entropy of some samples, each by the FitNet that has not seen it.
    pub fn losses(&self, rows: &[usize]) -> Result<Vec<f64>, BilevelError> {
        let mut losses = vec![0.0; rows.len()];
        for (fold, net) in self.nets.iter().enumerate() {
            let held_out: Vec<usize> = (0..rows.len()).filter(|&at| self.fold_of[rows[at]] == fold).collect();
            if held_out.is_empty() {
                continue;
            }
            let chosen: Vec<usize> = held_out.iter().map(|&at| rows[at]).collect();
            let logits = net.net.valid().forward((self.inputs)(&chosen)?).logits;
            let found = host_f64(&cross_entropy_per_sample(logits, self.classes(&chosen)));
            held_out.into_iter().zip(found).for_each(|(at, loss)| losses[at] = loss);
        }
        Ok(losses)
    }

    fn classes(&self, rows: &[usize]) -> Tensor<1, Int> {
        let classes: Vec<i32> = rows.iter().map(|&row| self.classes[row] as i32).collect();
        Tensor::from_data(TensorData::new(classes, [rows.len()]), self.device)
    }
}

/// `Σ m_j ℓ_j / Σ m_j + mean ℓ`, `[B] -> [1]`.
fn fit_loss(losses: Tensor<1>, mask: &[f32], device: &Device) -> Tensor<1> {
    let total: f32 = mask.iter().sum();
    let weights: Vec<f32> = mask.iter().map(|m| if total > 0.0 { m / total } else { 0.0 }).collect();
    (losses.clone() * tensor_1d(&weights, device)).sum() + losses.mean()
}
