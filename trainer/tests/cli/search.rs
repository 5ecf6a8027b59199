//! Searching for settings: the same trials whatever interrupts, and a clear word about what cannot be searched.

use super::data::{plain, put, workshop};
use super::outcome::{listing, refused};
use super::{ackermann, command};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

/// `trials.csv` without the seconds that trials took.
fn trials(search: &Path) -> Vec<String> {
    let text = fs::read_to_string(search.join("trials.csv")).unwrap_or_default();
    text.lines().map(|line| line.rsplit_once(',').map_or(line, |(rest, _)| rest).to_string()).collect()
}

fn score(value: &Value) -> f64 {
    value["best"]["score"].as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn a_search_finds_trains_and_tells() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 40);
    put(path, "space.toml", "lr = \"log:1e-5..1e-2\"\nema = [0.5, 0.9]\n");
    let line =
        "search --data d --epochs 2 --trials 4 --objective mae --space space.toml --space batch=8,16 --out s --json";
    let found = ackermann(path, line).json();
    assert_eq!((&found["trials"], &found["results"], &found["failed"]), (&4.into(), &4.into(), &0.into()), "{found}");
    let table = trials(&path.join("s"));
    assert_eq!(table[0], "trial,rung,ema,lr,batch,status,score,epochs,best_epoch");
    let scores = table[1..].iter().map(|row| row.split(',').nth(6).unwrap().parse::<f64>().unwrap());
    assert_eq!(scores.fold(f64::INFINITY, f64::min), score(&found));
    let page = fs::read_to_string(path.join("s/report.html")).unwrap();
    assert!(page.contains("log10 lr") && page.contains("Score by batch: 0 is 8, 1 is 16."));
    // The best trial is a run as any other, and is what its options train.
    let run = found["best"]["run"].as_str().unwrap();
    let eval = ackermann(path, &format!("eval {run} --data d --json")).json();
    assert!((eval["float"]["mae"].as_f64().unwrap() - score(&found)).abs() < 1e-5, "{eval} {found}");
    let options = found["best"]["options"].as_str().unwrap();
    ackermann(path, &format!("train {options} --out again")).ok();
    let read = |run: &Path| fs::read(run.join("best.safetensors")).unwrap();
    assert!(read(&path.join("again")) == read(&path.join(run)));
}

#[test]
fn settings_that_do_not_fit_are_refused_and_the_search_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 40);
    let line = "search --data d --epochs 1 --batch 8 --trials 6 --out s --json --space net=micro,lstm";
    let found = ackermann(path, line).json();
    let refused = trials(&path.join("s")).iter().filter(|row| row.contains("refused")).count();
    assert_eq!((&found["results"], &found["failed"]), (&6.into(), &refused.into()), "{found}");
    assert!(refused > 0 && refused < 6 && found["best"]["values"]["net"] == "micro", "{found}");
    // Where none fits, the first reason is the answer.
    let line = "search --data d --epochs 1 --batch 8 --trials 2 --out t --json --space net=lstm,text";
    ackermann(path, line).fails_as_json(2, "shape");
}

/// Starts `line`, kills it once `enough` of the search is there, and says whether it was still running.
fn killed(folder: &Path, line: &str, enough: impl Fn() -> bool) -> bool {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut child = command(folder, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !enough() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[test]
fn a_killed_search_goes_on_to_the_same_trials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 40);
    for (strategy, trials_of) in [("halving --eta 2 --epochs 4", 4), ("tpe --epochs 1", 13)] {
        let name = strategy.split(' ').next().unwrap();
        let space = "--space lr=log:1e-4..3e-2 --space optimizer=adam,sgd,rmsprop --space nesterov=true,false";
        let settings = format!("--data d --batch 8 --trials {trials_of} --seed 2 {space} --strategy {strategy}");
        let (whole, parts) = (path.join(format!("{name}-whole")), path.join(format!("{name}-parts")));
        ackermann(path, &format!("search {settings} --out {name}-whole")).ok();
        let resume = format!("search --resume --out {name}-parts");
        // In the middle of the first trials, after some results, in the middle of a later trial.
        let first = format!("search {settings} --out {name}-parts");
        let begun = |name: &String| name.contains("trial-") && name.ends_with("config.json");
        assert!(killed(path, &first, || parts.exists() && listing(&parts).iter().any(begun)));
        assert!(killed(path, &resume, || trials(&parts).len() > 2));
        let late = |name: &&String| name.contains("last.safetensors");
        let started = listing(&parts).iter().filter(late).count();
        killed(path, &resume, || listing(&parts).iter().filter(late).count() > started + 1);
        ackermann(path, &resume).ok();
        assert_eq!(trials(&parts), trials(&whole), "{name}");
        assert!(trials(&whole).iter().any(|row| row.contains("refused")), "nesterov without sgd is refused");
        for run in (0..trials_of).map(|trial| format!("trial-{trial:04}")) {
            for file in ["config.json", "best.safetensors", "last.safetensors"] {
                let read = |search: &Path| fs::read(search.join(&run).join(file)).ok();
                assert!(read(&whole) == read(&parts), "{name} {run} {file}");
            }
        }
        assert!(listing(&parts).iter().all(|name| !name.ends_with(".partial")), "{:?}", listing(&parts));
        // What is done is not done again.
        let before = fs::read(parts.join("trials.csv")).unwrap();
        ackermann(path, &resume).ok();
        assert!(fs::read(parts.join("trials.csv")).unwrap() == before);
    }
}

#[cfg(unix)]
#[test]
fn a_stopped_search_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 40);
    let line = "search --data d --epochs 1000 --batch 8 --trials 3 --space lr=1e-4..1e-3 --out s --json";
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut child = command(path, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !path.join("s/trial-0000/last.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(3));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let outcome = super::Outcome::new(line, &child.wait_with_output().unwrap());
    outcome.fails_as_json(1, "interrupted");
    assert!(outcome.stderr.contains("ackermann search --resume --out s"), "{}", outcome.stderr);
}

#[test]
fn what_cannot_be_searched_is_said_before_anything_is_done() {
    let workshop = workshop();
    let path = workshop.path();
    for (options, kind, words) in [
        ("--space lr=1..0.1", "usage", &["--space lr=1..0.1", "smaller"][..]),
        ("--space speed=0..1", "usage", &["--space speed", "no option", "huber-delta"]),
        ("--space out=a,b", "usage", &["--space out", "no option"]),
        ("--space optimizer=adam,lion", "usage", &["--space optimizer", "lion"]),
        ("--space batch=0,16", "usage", &["--space batch", "0"]),
        ("--space lr=0..1 --space lr=0..2", "usage", &["lr", "once"]),
        ("--space no.toml", "missing_file", &["no.toml"]),
        ("--space lr=0.1..1 --trials 0", "usage", &["--trials"]),
        ("--space lr=0.1..1 --eta 1", "usage", &["--eta"]),
        ("--space epochs=1,2 --strategy halving", "usage", &["--space epochs", "halving"]),
        ("", "usage", &["--space"]),
    ] {
        refused(path, &format!("search --data d --out new --batch 8 {options}"), 2, kind, words);
    }
    refused(path, "search --resume --out no", 2, "missing_file", &["no/search.json"]);
    refused(path, "search --resume --out r", 2, "missing_file", &["r/search.json"]);
    refused(path, "search --resume --out r --space lr=0..1", 2, "usage", &["--space"]);
    refused(path, "search --space lr=1e-4..1e-3 --out new", 2, "usage", &["--data"]);
    let wrong = "search --data d --out t --epochs 1 --trials 1 --space lr=1e-4..1e-3 --objective accuracy";
    ackermann(path, wrong).fails(2, &["--objective", "classes"]);
    ackermann(path, "search --data gone --out u --space lr=1e-4..1e-3").fails(2, &["gone", "does not exist"]);
}

#[test]
fn a_search_is_not_lost_by_accident() {
    let workshop = workshop();
    let path = workshop.path();
    let line = "search --data d --epochs 1 --batch 8 --trials 2 --strategy random --space lr=1e-4..1e-3 --out s";
    ackermann(path, line).ok();
    let before = trials(&path.join("s"));
    refused(path, line, 2, "usage", &["s", "--resume", "--overwrite"]);
    assert_eq!(trials(&path.join("s")), before);
    ackermann(path, &format!("{line} --trials 1 --overwrite")).fails(2, &["--trials"]);
    ackermann(path, &format!("{} --overwrite", line.replace("--trials 2", "--trials 1"))).ok();
    assert_eq!(trials(&path.join("s")).len(), 2);
    assert!(!path.join("s/trial-0001").exists());
    for (from, to, word) in
        [("done", "half", "trials.csv:2"), ("lr", "rate", "columns"), ("trial,", "\"", "trials.csv")]
    {
        let text = fs::read_to_string(path.join("s/trials.csv")).unwrap();
        put(path, "s/trials.csv", text.replacen(from, to, 1));
        ackermann(path, "search --resume --out s").fails(2, &[word]);
        put(path, "s/trials.csv", text);
    }
    put(path, "s/search.json", "{}");
    ackermann(path, "search --resume --out s").fails(2, &["search.json"]);
}
