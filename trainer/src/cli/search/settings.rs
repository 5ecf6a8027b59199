//! Options of `ackermann train`: those of every trial, and those that a trial has of its own.

use super::super::args::{Cli, Command, TrainArgs};
use crate::search::Space;
use crate::{Error, Result};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Options that are not of a trial.
const OWN: [&str; 4] = ["out", "resume", "overwrite", "qat"];

/// Options of every trial as they were typed, `--NAME=VALUE` or `--NAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings(Vec<String>);

impl Settings {
    /// Those of this process's command line.
    pub fn of_command_line() -> Result<Self> {
        let matches = Cli::command().try_get_matches_from(std::env::args_os());
        let matches = matches.map_err(|e| Error::usage("command line", e.kind()))?;
        let none = ArgMatches::default();
        let typed = matches.subcommand_matches("search").unwrap_or(&none);
        Ok(Self(options().iter().flat_map(|option| spelled(option, typed)).collect()))
    }

    /// Refuses settings and spaces of which `ackermann train` does not know an option or a value.
    pub fn check(&self, space: &Space, folder: &Path) -> Result<()> {
        for parameter in &space.0 {
            let place = format!("--space {}", parameter.name);
            if OWN.contains(&parameter.name.as_str()) || option(&parameter.name).is_none() {
                let names: Vec<String> = options().iter().filter_map(|o| o.get_long().map(String::from)).collect();
                let message =
                    format!("is no option of `ackermann train` that can be searched; there are {}", names.join(", "));
                return Err(Error::usage(place, message));
            }
            for value in parameter.domain.samples() {
                let alone = Space(vec![parameter.clone()]);
                self.arguments(&alone, &[value], folder).map_err(|e| Error { place: place.clone(), ..e })?;
            }
        }
        Ok(())
    }

    /// The options of a trial with `values`, its run in `folder`.
    pub fn arguments(&self, space: &Space, values: &[String], folder: &Path) -> Result<TrainArgs> {
        let out = format!("--out={}", folder.display());
        let words = ["ackermann".into(), "train".into(), out].into_iter().chain(self.words(space, values));
        let parsed = Cli::command().try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
        match parsed {
            Ok(Cli { command: Some(Command::Train(args)), .. }) => Ok(*args),
            Ok(_) => Err(Error::usage("search", "these are no options of `ackermann train`")),
            Err(error) => Err(super::super::usage_error(&error)),
        }
    }

    /// The options as one would type them.
    pub fn line(&self, space: &Space, values: &[String]) -> String {
        self.words(space, values).collect::<Vec<_>>().join(" ")
    }

    fn words<'a>(&'a self, space: &'a Space, values: &'a [String]) -> impl Iterator<Item = String> + 'a {
        let name = |word: &str| word.trim_start_matches('-').split('=').next().unwrap_or("").to_string();
        let fixed = self.0.iter().filter(move |word| space.0.iter().all(|parameter| parameter.name != name(word)));
        let own = space.0.iter().zip(values).filter_map(|(parameter, value)| {
            let switch = option(&parameter.name).is_some_and(|option| !option.get_action().takes_values());
            match (switch, value.as_str()) {
                (true, "true") => Some(format!("--{}", parameter.name)),
                (true, "false") => None,
                _ => Some(format!("--{}={value}", parameter.name)),
            }
        });
        fixed.cloned().chain(own)
    }
}

/// What `ackermann train` can be told, but for [`OWN`].
fn options() -> Vec<Arg> {
    let command = TrainArgs::augment_args(clap::Command::new("train"));
    command.get_arguments().filter(|option| !OWN.contains(&option.get_id().as_str())).cloned().collect()
}

fn option(name: &str) -> Option<Arg> {
    options().into_iter().find(|option| option.get_long() == Some(name))
}

/// An option as it was typed, if it was.
fn spelled(option: &Arg, typed: &ArgMatches) -> Vec<String> {
    let (id, long) = (option.get_id().as_str(), option.get_long().unwrap_or(""));
    if typed.try_contains_id(id).is_err() || typed.value_source(id) != Some(ValueSource::CommandLine) {
        return Vec::new();
    }
    if matches!(option.get_action(), ArgAction::SetTrue) {
        return vec![format!("--{long}")];
    }
    let values = typed.get_raw(id).into_iter().flatten();
    values.map(|value| format!("--{long}={}", value.to_string_lossy())).collect()
}
