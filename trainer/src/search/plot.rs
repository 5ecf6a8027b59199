//! Pictures of a search: how the best grew, and the score over each setting.

use super::{Domain, Parameter, Plan, Trials};
use crate::report::chart::{Axes, curves, points};
use crate::report::{Report, Series, Table, format};

/// The page of a search; `score` names what is sought.
pub fn report(plan: &Plan, trials: &Trials, score: &str) -> Report {
    let mut report = Report::new("Search for settings");
    let done = trials.rows().iter().filter(|row| row.outcome.score.is_ok()).count();
    let kind = if plan.maximize { "higher" } else { "lower" };
    report.lead(&format!(
        "{} results, {} of them failed; {score}, {kind} is better.",
        trials.rows().len(),
        trials.rows().len() - done
    ));
    report.table(&table(plan, trials, score, usize::MAX));
    let best = best_so_far(plan, trials);
    let series = [Series { name: "best so far", points: &best }];
    report.section("Best so far").figure(&curves("Best result after each.", Axes { x: "result", y: score }, &series));
    report.section("Settings");
    for (column, parameter) in plan.space.0.iter().enumerate() {
        let of_rung = |rung: usize| -> Vec<(f64, f64)> {
            let rows = trials.rows().iter().filter(|row| row.rung == rung);
            rows.filter_map(|row| {
                Some((parameter.domain.coordinate(row.values.get(column)?)?, row.outcome.score.ok()?))
            })
            .collect()
        };
        let sets: Vec<_> = plan
            .rungs()
            .iter()
            .enumerate()
            .map(|(at, rung)| (format!("{} epochs", rung.epochs), of_rung(at)))
            .collect();
        let series: Vec<Series<'_>> = sets.iter().map(|(name, points)| Series { name, points }).collect();
        report.figure(&points(&caption(parameter), Axes { x: &axis(parameter), y: score }, &series));
    }
    report
}

fn axis(parameter: &Parameter) -> String {
    match parameter.domain {
        Domain::Log { .. } => format!("log10 {}", parameter.name),
        _ => parameter.name.clone(),
    }
}

/// Choices stand at whole numbers; the caption says which is which.
fn caption(Parameter { name, domain }: &Parameter) -> String {
    match domain {
        Domain::Choice(values) => {
            let keys: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{at} is {value}")).collect();
            format!("Score by {name}: {}.", keys.join(", "))
        }
        _ => format!("Score by {name}."),
    }
}

fn best_so_far(plan: &Plan, trials: &Trials) -> Vec<(f64, f64)> {
    let mut best = f64::INFINITY;
    let better = |(at, row): (usize, &super::Row)| {
        best = best.min(plan.cost(&row.outcome));
        (at as f64 + 1.0, if plan.maximize { -best } else { best })
    };
    trials.rows().iter().enumerate().map(better).collect()
}

/// The best `most` results as a table, best first: higher rungs before lower ones.
pub fn table(plan: &Plan, trials: &Trials, score: &str, most: usize) -> Table {
    let names = plan.space.0.iter().map(|parameter| parameter.name.as_str());
    let mut table = Table::new(["trial"].into_iter().chain(names).chain(["epochs", "best epoch", score, "time"]));
    let mut rows: Vec<_> = trials.rows().iter().collect();
    rows.sort_by(|a, b| {
        let costs = plan.cost(&a.outcome).total_cmp(&plan.cost(&b.outcome));
        b.rung.cmp(&a.rung).then(costs).then(a.trial.cmp(&b.trial))
    });
    for row in rows.into_iter().take(most) {
        let score = row.outcome.score.map_or_else(|failure| failure.name().into(), |score| format::fixed(score, 5));
        let last = [
            row.outcome.epochs.to_string(),
            row.outcome.best_epoch.to_string(),
            score,
            format::seconds(row.outcome.seconds),
        ];
        table.row([row.trial.to_string()].into_iter().chain(row.values.iter().cloned()).chain(last));
    }
    table
}
