//! The course's perceptron, with two hidden layers, trained on exclusive or. docs/pytorch.md has the same in PyTorch.

use ackermann_trainer::Result;
use ackermann_trainer::nn::modules::{linear, relu, tanh};
use ackermann_trainer::optim::Method;
use ackermann_trainer::train::{Loss, sequential};

fn main() -> Result<()> {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y = [0.0, 1.0, 1.0, 0.0];

    let mut net = sequential([linear(2, 16), relu(), linear(16, 16), tanh(), linear(16, 1)])?;
    let mut optimizer = net.optimizer(Method::adam())?;
    for step in 0..300 {
        let loss = net.backward(Loss::Mse, &x, &y)?;
        net.step(&mut optimizer, 1e-2);
        if step % 50 == 0 {
            println!("{step}: {loss:.5}");
        }
    }
    println!("{:.3?}", net.forward(&x)?);
    Ok(())
}
