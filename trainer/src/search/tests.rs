use super::halving::{promoted, rungs};
use super::*;
use crate::{Error, ErrorKind, Result};
use std::path::Path;

fn space(items: &[&str]) -> Space {
    Space::parse(&items.iter().map(|item| item.to_string()).collect::<Vec<_>>()).unwrap()
}

fn plan(strategy: Strategy, trials: usize) -> Plan {
    let space = space(&["lr=log:1e-5..1", "dropout=0..0.8", "batch=int:1..64", "net=a,b,c"]);
    Plan { space, strategy, trials, epochs: 27, maximize: false, seed: 4 }
}

/// Stands for training: costs least at lr 1e-3, dropout 0.3, batch 16 and net b; more epochs cost less. Trials of net c
/// with large rates diverge.
#[derive(Default)]
struct Bowl {
    /// What was asked: trial, values, epochs.
    asked: Vec<(usize, Vec<String>, usize)>,
    /// Trials before it is stopped.
    patience: Option<usize>,
    /// Whether it is stopped by an error.
    breaks: bool,
}

impl Trainer for Bowl {
    fn train(&mut self, trial: usize, values: &[String], epochs: usize) -> Result<Option<Outcome>> {
        if self.patience == Some(self.asked.len()) {
            return if self.breaks { Err(Error::new(ErrorKind::Write, "disk", "is full")) } else { Ok(None) };
        }
        self.asked.push((trial, values.to_vec(), epochs));
        let number = |at: usize| values[at].parse::<f64>().unwrap();
        let net = values[3].as_str();
        let cost =
            (number(0).log10() + 3.0).powi(2) + (number(1) - 0.3).powi(2) * 4.0 + ((number(2) - 16.0) / 32.0).powi(2);
        let score = cost + f64::from(u8::from(net != "b")) + 10.0 / epochs as f64;
        let score = if net == "c" && number(0) >= 0.1 { Err(Failure::Diverged) } else { Ok(score) };
        Ok(Some(Outcome { score, epochs, best_epoch: epochs, seconds: 0.0 }))
    }
}

const STRATEGIES: [Strategy; 3] = [Strategy::Random, Strategy::Halving { eta: 3 }, Strategy::Tpe];

fn searched(plan: &Plan, folder: &Path, resume: bool, bowl: &mut Bowl) -> Result<(Trials, bool)> {
    let mut trials = Trials::open(folder, &plan.space, resume)?;
    let done = search(plan, &mut trials, bowl)?;
    Ok((trials, done))
}

#[test]
fn a_stopped_search_goes_on_to_the_same_trials() {
    for strategy in STRATEGIES {
        let plan = plan(strategy, 30);
        let whole = tempfile::tempdir().unwrap();
        let mut all = Bowl::default();
        let (expected, done) = searched(&plan, whole.path(), false, &mut all).unwrap();
        assert!(done && expected.rows().len() == all.asked.len());
        let folder = tempfile::tempdir().unwrap();
        let mut asked = Vec::new();
        for (session, patience) in [3, 1, 0, 14, 9, 1000].into_iter().enumerate() {
            let mut some = Bowl { patience: Some(patience), breaks: session % 2 == 1, ..Bowl::default() };
            let _ = searched(&plan, folder.path(), session > 0, &mut some);
            asked.extend(some.asked);
        }
        assert_eq!(asked, all.asked, "{strategy:?}");
        let table = |folder: &Path| std::fs::read(folder.join("trials.csv")).unwrap();
        assert!(table(folder.path()) == table(whole.path()));
        let (again, done) =
            searched(&plan, folder.path(), true, &mut Bowl { patience: Some(0), ..Bowl::default() }).unwrap();
        assert!(done && again.rows() == expected.rows(), "what is done is not done again");
    }
}

#[test]
fn halving_trains_the_best_for_longer() {
    let rung = |trials, epochs| Rung { trials, epochs };
    assert_eq!(rungs(27, 27, 3), [rung(27, 1), rung(9, 3), rung(3, 9), rung(1, 27)]);
    assert_eq!(rungs(30, 10, 3), [rung(30, 2), rung(10, 4), rung(3, 10)]);
    assert_eq!(rungs(5, 100, 4), [rung(5, 25), rung(1, 100)]);
    assert_eq!((rungs(1, 5, 3), rungs(9, 1, 3)), (vec![rung(1, 5)], vec![rung(9, 1)]));
    assert_eq!(promoted(vec![(0, 3.0), (1, 1.0), (2, f64::INFINITY), (3, 1.0), (4, 2.0)], 2), [1, 3]);
    assert_eq!(promoted(vec![(0, f64::INFINITY), (1, 1.0)], 2), [1]);
    let (folder, mut bowl, plan) =
        (tempfile::tempdir().unwrap(), Bowl::default(), plan(Strategy::Halving { eta: 3 }, 27));
    let (trials, _) = searched(&plan, folder.path(), false, &mut bowl).unwrap();
    let epochs: Vec<usize> = trials.rows().iter().map(|row| row.outcome.epochs).collect();
    assert_eq!([1, 3, 9, 27].map(|e| epochs.iter().filter(|&&x| x == e).count()), [27, 9, 3, 1]);
    let best = plan.best(&trials).unwrap();
    let at_first = |trial: usize| trials.find(trial, 0).unwrap().outcome.score.ok();
    assert_eq!(best.rung, 3);
    assert!((0..27).filter_map(at_first).all(|score| Some(score) >= at_first(best.trial)));
}

#[test]
fn tpe_finds_better_than_chance() {
    let best = |strategy, seed| {
        let (folder, plan) = (tempfile::tempdir().unwrap(), Plan { seed, ..plan(strategy, 60) });
        let (trials, _) = searched(&plan, folder.path(), false, &mut Bowl::default()).unwrap();
        plan.best(&trials).unwrap().outcome.score.unwrap()
    };
    let mean = |strategy| (0..8).map(|seed| best(strategy, seed)).sum::<f64>() / 8.0;
    let (chance, tpe, floor) = (mean(Strategy::Random), mean(Strategy::Tpe), 10.0 / 27.0);
    assert!(tpe - floor < 0.5 * (chance - floor), "TPE {tpe}, chance {chance}");
}

#[test]
fn choices_depend_on_the_seed_only() {
    let folder = tempfile::tempdir().unwrap();
    let run = |seed, number: usize| {
        let (mut bowl, plan) = (Bowl::default(), Plan { seed, ..plan(Strategy::Tpe, 20) });
        searched(&plan, &folder.path().join(number.to_string()), false, &mut bowl).unwrap();
        bowl.asked
    };
    assert_eq!(run(1, 0), run(1, 1));
    assert_ne!(run(1, 2), run(2, 3));
}

#[test]
fn a_larger_score_can_be_better() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { maximize: true, ..plan(Strategy::Random, 10) };
    let (trials, _) = searched(&plan, folder.path(), false, &mut Bowl::default()).unwrap();
    let scores = trials.rows().iter().filter_map(|row| row.outcome.score.ok());
    assert_eq!(plan.best(&trials).unwrap().outcome.score.unwrap(), scores.fold(f64::MIN, f64::max));
}

#[test]
fn values_stay_within_their_domain() {
    for (text, value) in [("log:1.23456e-4..1e-2", "1e-5"), ("0.12345..0.5", "0.1"), ("int:3..7", "8"), ("16,32", "64")]
    {
        let domain = Domain::parse(text).unwrap();
        assert_eq!(domain.coordinate(value), None, "{text}");
        let (low, high) = domain.bounds();
        for at in (0..=100).map(|step| low + (high - low) * f64::from(step) / 100.0) {
            let value = domain.value(at);
            let back = domain.coordinate(&value).unwrap_or_else(|| panic!("{value} is not in {text}"));
            assert!((low..=high).contains(&back), "{text}: {value}");
        }
    }
    let whole = Domain::parse("int:1..3").unwrap();
    let drawn = |at| whole.value(at);
    assert_eq!([0.5, 1.49, 1.5, 3.49].map(drawn), ["1", "1", "2", "3"]);
}

#[test]
fn spaces_are_read_from_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Space::parse(&[path.display().to_string()])
    };
    let expected = space(&["batch=16,32", "lr=log:1e-4..1e-2", "net=micro,pilotnet"]);
    let toml = "lr = \"log:1e-4..1e-2\"\nbatch = [16, 32]\nnet = [\"micro\", \"pilotnet\"]\n";
    assert_eq!(read("s.toml", toml).unwrap(), expected);
    let json = r#"{ "lr": "log:1e-4..1e-2", "batch": [16, 32], "net": "micro,pilotnet" }"#;
    assert_eq!(read("s.json", json).unwrap(), expected);
    for (name, text) in
        [("a.toml", "lr = 3"), ("b.json", "{"), ("c.yaml", ""), ("d.toml", "lr = \"9..1\""), ("e.toml", "")]
    {
        let error = read(name, text).unwrap_err();
        assert!(!error.message.contains('\n') && (error.place.contains(name) || name == "e.toml"), "{error}");
    }
}

#[test]
fn wrong_spaces_are_refused() {
    for items in [
        &[][..],
        &["lr=1..0.1"],
        &["lr=log:0..1"],
        &["lr=log:1"],
        &["lr=0..inf"],
        &["lr=a..b"],
        &["batch=int:1.5..3"],
        &["batch=int:3..3"],
        &["batch=int:-9223372036854775808..9223372036854775807"],
        &["net="],
        &["net=a,a"],
        &["net=a,,b"],
        &["=0..1"],
        &["lr=0..1", "--lr=0..2"],
        &["no such file"],
    ] {
        let items: Vec<String> = items.iter().map(|item| item.to_string()).collect();
        assert!(Space::parse(&items).is_err(), "{items:?}");
    }
}

#[test]
fn damaged_plans_are_refused() {
    let good = plan(Strategy::Random, 3);
    let domain = |domain| Plan { space: Space(vec![Parameter { name: "x".into(), domain }]), ..good.clone() };
    let (zero, nan) = (0.0, f64::NAN);
    for plan in [
        Plan { trials: 0, ..good.clone() },
        Plan { trials: usize::MAX, ..good.clone() },
        Plan { epochs: usize::MAX, ..good.clone() },
        domain(Domain::Uniform { low: zero, high: zero }),
        domain(Domain::Uniform { low: zero, high: nan }),
        domain(Domain::Uniform { low: f64::MIN, high: f64::MAX }),
        domain(Domain::Log { low: -1.0, high: 1.0 }),
        domain(Domain::Integer { low: i64::MIN, high: i64::MAX }),
        domain(Domain::Choice(Vec::new())),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert!(searched(&plan, folder.path(), false, &mut Bowl::default()).is_err(), "{plan:?}");
    }
}

#[test]
fn tables_of_another_search_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.csv");
    let made = plan(Strategy::Random, 3);
    searched(&made, folder.path(), false, &mut Bowl::default()).unwrap();
    let refused = |plan: &Plan| searched(plan, folder.path(), true, &mut Bowl::default()).unwrap_err();
    assert!(refused(&Plan { seed: 5, ..made.clone() }).message.contains("trial 0"));
    assert!(refused(&Plan { space: space(&["lr=0..1"]), ..made.clone() }).message.contains("columns"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("done", "perhaps", 1)).unwrap();
    assert!(refused(&made).place.ends_with("trials.csv:2"));
}

#[test]
fn the_page_shows_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    for strategy in STRATEGIES {
        let plan = plan(strategy, 12);
        let (trials, _) = searched(&plan, folder.path(), false, &mut Bowl::default()).unwrap();
        let html = report(&plan, &trials, "validation loss").to_html();
        for text in [
            "log10 lr",
            "Score by net: 0 is a, 1 is b, 2 is c.",
            "Best result after each.",
            "of them failed",
            "dropout",
        ] {
            assert!(html.contains(text), "{strategy:?}: {text}");
        }
        assert!(html.matches("<svg").count() == 5);
    }
}
