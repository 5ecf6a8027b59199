//! A training that no longer gets better ends by itself.

use super::ackermann;
use super::data::workshop;

#[test]
fn patience_ends_a_training_early() {
    let workshop = workshop();
    let line =
        "train --data d --out e --epochs 50 --batch 8 --lr 1e-30 --schedule constant --no-augment --patience 2 --json";
    let value = ackermann(workshop.path(), line).json();
    assert_eq!((&value["stopped_early"], &value["epochs"], &value["best_epoch"]), (&true.into(), &3.into(), &1.into()));
    assert!(workshop.path().join("e/report.html").is_file());
    // Its weights do not move: what is best stays the first epoch, and going on does nothing.
    assert_eq!(ackermann(workshop.path(), "train --resume --out e --json").json()["epochs"], 3);
    let whole = ackermann(workshop.path(), "train --data d --out f --epochs 1 --batch 8 --json").json();
    assert_eq!(whole["stopped_early"], false);
}
