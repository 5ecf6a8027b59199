//! Ctrl-C: what is done is kept, what is half-done is not left behind, and the message says how to go on.
#![cfg(unix)]

use super::data::plain;
use super::outcome::{Outcome, listing};
use super::{ackermann, command};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Runs `line`, interrupts it once `ready`, and returns how it ended. It must not have ended by itself.
fn interrupted(folder: &Path, line: &str, ready: impl Fn(Duration) -> bool) -> Outcome {
    interrupted_times(1, folder, line, ready)
}

/// The same with so many Ctrl-C, one right after the other.
fn interrupted_times(times: usize, folder: &Path, line: &str, ready: impl Fn(Duration) -> bool) -> Outcome {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut child = command(folder, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !ready(started.elapsed()) {
        assert!(child.try_wait().unwrap().is_none(), "`ackermann {line}` ended too early");
        thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..times {
        // It may have ended by now.
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    }
    Outcome::new(line, &child.wait_with_output().unwrap())
}

#[test]
fn a_stopped_training_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 60);
    let settings = "--data d --epochs 30 --batch 4 --no-augment --qat 1";
    ackermann(path, &format!("train {settings} --out whole")).ok();
    let history = path.join("parts/history.csv");
    let line = format!("train {settings} --out parts --json");
    let stopped = interrupted(path, &line, |_| history.exists());
    stopped.fails_as_json(1, "interrupted");
    assert!(stopped.stderr.contains("`ackermann train --resume --out parts`"), "{}", stopped.stderr);
    let done = fs::read_to_string(&history).unwrap().lines().count() - 1;
    assert!(done < 30, "it was not stopped: {done} epochs");
    assert_eq!(ackermann(path, "train --resume --out parts --json").json()["epochs"], 30);
    for file in ["config.json", "data.json", "best.safetensors", "last.safetensors", "micro.ackm"] {
        let read = |run: &str| fs::read(path.join(run).join(file)).unwrap();
        assert!(read("whole") == read("parts"), "{file} differs after a stop");
    }
}

#[test]
fn a_stopped_training_in_int8_keeps_the_best_so_far_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 40);
    let line = "train --data d --epochs 1 --batch 8 --qat 1000000 --out r --json";
    // The report is written between the float epochs and those in int8.
    let stopped = interrupted(path, line, |_| path.join("r/report.html").exists());
    stopped.fails_as_json(1, "interrupted");
    assert!(stopped.stderr.contains("`ackermann train --resume --out r` trains in int8 anew"), "{}", stopped.stderr);
    ackermann(path, "eval r/micro.ackm --data d").ok();
    let line = "quantize r --calibrate d --out q.ackm --qat --epochs 1000000";
    let stopped = interrupted(path, line, |elapsed| elapsed > Duration::from_millis(500));
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    for word in ["error: q.ackm: ", "best so far", "the same command trains in int8 anew"] {
        assert!(stopped.stderr.contains(word), "{}", stopped.stderr);
    }
    ackermann(path, "eval q.ackm --data d").ok();
    // Another number of epochs in int8 takes the place of the run's own.
    ackermann(path, "train --resume --out r --qat 1").ok();
    ackermann(path, "train --resume --out r").ok();
}

#[test]
fn an_impatient_second_ctrl_c_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 60);
    let settings = "--data d --epochs 60 --batch 4 --no-augment --ema 0.99 --optimizer rmsprop";
    ackermann(path, &format!("train {settings} --out whole")).ok();
    let history = path.join("parts/history.csv");
    let line = format!("train {settings} --out parts --json");
    interrupted_times(2, path, &line, |_| history.exists()).fails_as_json(1, "interrupted");
    assert_eq!(ackermann(path, "train --resume --out parts --json").json()["epochs"], 60);
    let read = |run: &str| fs::read(path.join(run).join("last.safetensors")).unwrap();
    assert!(read("whole") == read("parts"));
}

#[test]
fn a_stopped_recording_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["--out run --frames 1000000", "train --data sim --out run --frames 1000000"] {
        let stopped = interrupted(folder.path(), line, |elapsed| elapsed > Duration::from_millis(300));
        assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
        assert!(stopped.stderr.contains("error: ") && stopped.stderr.contains("stopped"), "{}", stopped.stderr);
        assert_eq!(listing(folder.path()), Vec::<String>::new());
    }
}

#[test]
fn a_stopped_main_job_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("run/last.safetensors");
    let line = "--out run --frames 64 --epochs 1000000 --tracks 1 --seconds 1";
    let stopped = interrupted(folder.path(), line, |_| checkpoint.exists());
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("ackermann train --resume --out run"), "{}", stopped.stderr);
    let left = listing(folder.path());
    assert!(left.iter().all(|name| !name.ends_with(".partial") && !name.ends_with(".ackm")), "{left:?}");
}

#[test]
fn a_stopped_drive_writes_no_report() {
    let folder = super::data::workshop();
    let before = listing(folder.path());
    let line = "drive m.ackm --seconds 3600 --report drive.html";
    let stopped = interrupted(folder.path(), line, |elapsed| elapsed > Duration::from_millis(300));
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("the drive was stopped"), "{}", stopped.stderr);
    assert_eq!(listing(folder.path()), before);
}
