//! A disk that is full: one line that says so, the last checkpoint whole, and the way on from it.
#![cfg(unix)]

use super::data::plain;
use super::outcome::{Outcome, listing};
use super::{ackermann, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SETTINGS: &str = "--data d --epochs 30 --batch 8 --seed 3";

/// Runs `line` where no file may grow beyond `blocks` of 512 bytes: writing fails as on a full disk.
fn cramped(folder: &Path, blocks: usize, line: &str) -> Outcome {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_ackermann")]).args(line.split_whitespace());
    shell.current_dir(folder).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    Outcome::new(line, &shell.output().unwrap())
}

/// A run in `run` that was stopped after some epochs, and the bytes of its checkpoint.
fn stopped(folder: &Path) -> Vec<u8> {
    let arguments: Vec<&str> = "train --data d --epochs 30 --batch 8 --seed 3 --out run".split(' ').collect();
    let mut child = command(folder, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !folder.join("run/last.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its first checkpoint");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap();
    fs::read(folder.join("run/last.safetensors")).unwrap()
}

fn partial(folder: &Path) -> Vec<String> {
    listing(folder).into_iter().filter(|name| name.contains("partial")).collect()
}

#[test]
fn a_checkpoint_that_does_not_fit_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 40);
    ackermann(path, &format!("train {SETTINGS} --out whole")).ok();
    let before = stopped(path);
    let failed = cramped(path, 64, "train --resume --out run");
    failed.fails(1, &["run/", "cannot be written", "make room", "train --resume --out run"]);
    assert!(fs::read(path.join("run/last.safetensors")).unwrap() == before, "the checkpoint was touched");
    assert_eq!(partial(path), Vec::<String>::new());
    ackermann(path, "train --resume --out run").ok();
    let read = |run: &str| fs::read(path.join(run).join("last.safetensors")).unwrap();
    assert!(read("whole") == read("run"), "the run does not end as one that had room");
}

#[test]
fn a_run_that_does_not_fit_says_so() {
    let folder = tempfile::tempdir().unwrap();
    plain(&folder.path().join("d"), 40);
    let line = format!("train {SETTINGS} --out run");
    cramped(folder.path(), 64, &line).fails(1, &["run/best.safetensors", "cannot be written", "make room"]);
    cramped(folder.path(), 64, &format!("{line} --json")).fails_as_json(1, "write");
    assert_eq!(partial(folder.path()), Vec::<String>::new());
}

/// A file system of its own, taken away at the end.
struct Small(PathBuf);

impl Small {
    /// `None` where mounting is not allowed.
    fn mount(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_file_system_leaves_the_checkpoint_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let Some(_small) = Small::mount(path.join("small"), "4m") else {
        println!("skipped: mounting a small file system is not allowed here");
        return;
    };
    plain(&path.join("d"), 40);
    let before = stopped(path);
    super::data::copy_folder(&path.join("run"), &path.join("small/run"));
    // All that is left is taken.
    let room = fs::File::create(path.join("small/ballast")).unwrap();
    while std::io::Write::write(&mut &room, &[0; 1 << 16]).is_ok_and(|written| written > 0) {}
    let failed = ackermann(path, "train --resume --out small/run");
    failed.fails(1, &["small/run/", "cannot be written", "make room", "train --resume --out small/run"]);
    assert!(fs::read(path.join("small/run/last.safetensors")).unwrap() == before);
    assert_eq!(partial(path), Vec::<String>::new());
    drop(room);
    fs::remove_file(path.join("small/ballast")).unwrap();
    assert_eq!(ackermann(path, "train --resume --out small/run --json").json()["epochs"], 30);
}
