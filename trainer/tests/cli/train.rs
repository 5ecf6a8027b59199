//! Training again: the same bytes, never over an old run by accident.

use super::ackermann;
use super::data::{copy_folder, workshop};
use super::outcome::refused;
use std::fs;
use std::path::Path;

/// What must not depend on anything but the seed.
const FILES: [&str; 4] = ["config.json", "data.json", "best.safetensors", "last.safetensors"];

fn bytes(run: &Path) -> Vec<Vec<u8>> {
    FILES.iter().map(|file| fs::read(run.join(file)).unwrap()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let workshop = workshop();
    let path = workshop.path();
    for (run, threads) in [("one", 1), ("two", 2), ("again", 2)] {
        let line = format!("train --data d --out {run} --epochs 2 --batch 8 --seed 5 --threads {threads}");
        ackermann(path, &line).ok();
        ackermann(path, &format!("quantize {run} --calibrate d --out {run}.ackm --threads {threads}")).ok();
    }
    let blob = |run: &str| fs::read(path.join(format!("{run}.ackm"))).unwrap();
    for other in ["two", "again"] {
        assert!(bytes(&path.join("one")) == bytes(&path.join(other)), "{other}");
        assert!(blob("one") == blob(other), "{other}");
    }
    ackermann(path, "train --data d --out other --epochs 2 --batch 8 --seed 6").ok();
    assert!(bytes(&path.join("one"))[2] != bytes(&path.join("other"))[2]);
}

#[test]
fn a_run_is_not_lost_by_accident() {
    let workshop = workshop();
    let path = workshop.path();
    let before = bytes(&path.join("r"));
    refused(path, "train --data d --out r --epochs 1", 2, "usage", &["r", "--resume", "--overwrite"]);
    assert!(bytes(&path.join("r")) == before);
    ackermann(path, "train --data d --out r --epochs 1 --batch 4 --overwrite").ok();
    assert!(bytes(&path.join("r")) != before);
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let workshop = workshop();
    let path = workshop.path();
    copy_folder(&path.join("r"), &path.join("copy"));
    assert_eq!(ackermann(path, "train --resume --out copy --json").json()["epochs"], 1);
    assert!(bytes(&path.join("copy")) == bytes(&path.join("r")));
}

#[test]
fn a_loss_that_explodes_is_said() {
    let workshop = workshop();
    let line = "train --data d --out new --epochs 3 --batch 8 --loss mse --optimizer sgd --schedule constant --lr 1e38";
    ackermann(workshop.path(), line).fails(2, &["epoch 1", "the loss became", "learning rate"]);
}
