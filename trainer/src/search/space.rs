//! Which values a setting may take.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// Values of one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Any number from `low` to `high`, all alike.
    Uniform {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Any number from `low` to `high`, all orders of magnitude alike.
    Log {
        /// Smallest, above zero.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Whole numbers from `low` to `high`.
    Integer {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
    },
    /// One of these.
    Choice(Vec<String>),
}

impl Domain {
    /// Reads `0..0.5`, `log:1e-4..1e-2`, `int:1..8` or `16,32,64`. Errors are the reason.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let (kind, range) = match text.split_once(':') {
            Some((kind @ ("log" | "int"), rest)) => (kind, rest),
            _ => ("", text),
        };
        let Some((low, high)) = range.split_once("..") else {
            return if kind.is_empty() {
                Self::choice(text.split(',').map(str::to_string).collect())
            } else {
                Err(range_form(text))
            };
        };
        let found = if kind == "int" {
            let whole = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("`{text}` is not a whole number"));
            Self::Integer { low: whole(low)?, high: whole(high)? }
        } else {
            let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a number"));
            let (low, high) = (number(low)?, number(high)?);
            if kind == "log" { Self::Log { low, high } } else { Self::Uniform { low, high } }
        };
        found.check().map(|()| found)
    }

    /// Whether there is anything between the ends, or to choose from. Errors are the reason.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        // Beyond this the coordinates, which are f64, no longer tell whole numbers apart.
        const MOST: i64 = 1 << 52;
        let (low, high) = match self {
            Self::Choice(values) if values.is_empty() => return Err("there is nothing to choose from".into()),
            Self::Choice(_) => return Ok(()),
            Self::Integer { low, high } if *low <= -MOST || *high >= MOST => {
                return Err(format!("{low}..{high} has too many digits"));
            }
            Self::Integer { low, high } => (*low as f64, *high as f64),
            Self::Uniform { low, high } | Self::Log { low, high } => (*low, *high),
        };
        if !(low < high && (high - low).is_finite()) {
            return Err(format!("{low}..{high} is not a range from a smaller to a larger number"));
        }
        match self {
            Self::Log { .. } if low <= 0.0 => Err(format!("a logarithmic range begins above 0, not at {low}")),
            _ => Ok(()),
        }
    }

    fn choice(values: Vec<String>) -> std::result::Result<Self, String> {
        let values: Vec<String> = values.iter().map(|value| value.trim().to_string()).collect();
        match values.iter().enumerate().find(|(at, value)| value.is_empty() || values[..*at].contains(value)) {
            Some((_, value)) if value.is_empty() => Err("there is an empty choice".into()),
            Some((_, value)) => Err(format!("`{value}` is there twice")),
            None => Ok(Self::Choice(values)),
        }
    }

    /// The coordinate in which values are searched and drawn: the number, its decimal logarithm, or the place of a choice.
    /// `None` for what is not a value of this domain.
    pub fn coordinate(&self, value: &str) -> Option<f64> {
        let within = |low: f64, high: f64| value.parse::<f64>().ok().filter(|v| (low..=high).contains(v));
        match self {
            Self::Uniform { low, high } => within(*low, *high),
            Self::Log { low, high } => within(*low, *high).map(f64::log10),
            Self::Integer { low, high } => within(*low as f64, *high as f64),
            Self::Choice(values) => values.iter().position(|v| v == value).map(|at| at as f64),
        }
    }

    /// The value at a coordinate: numbers have four digits, so that a table shows what was used.
    pub fn value(&self, at: f64) -> String {
        match self {
            Self::Uniform { low, high } => rounded(at, *low, *high),
            Self::Log { low, high } => rounded(10f64.powf(at), *low, *high),
            Self::Integer { low, high } => (at.round() as i64).clamp(*low, *high).to_string(),
            Self::Choice(values) => values[(at.max(0.0) as usize).min(values.len() - 1)].clone(),
        }
    }

    /// Values that show whether a setting can have those of this domain: the ends of a range, each of a choice.
    pub fn samples(&self) -> Vec<String> {
        match self {
            Self::Uniform { low, high } | Self::Log { low, high } => vec![low.to_string(), high.to_string()],
            Self::Integer { low, high } => vec![low.to_string(), high.to_string()],
            Self::Choice(values) => values.clone(),
        }
    }

    /// Bounds of the coordinate, the upper one excluded where values are whole.
    pub(super) fn bounds(&self) -> (f64, f64) {
        match self {
            Self::Uniform { low, high } => (*low, *high),
            Self::Log { low, high } => (low.log10(), high.log10()),
            Self::Integer { low, high } => (*low as f64 - 0.5, *high as f64 + 0.5),
            Self::Choice(values) => (0.0, values.len() as f64),
        }
    }
}

fn range_form(text: &str) -> String {
    format!("`{text}` is not a range like log:1e-4..1e-2 or int:1..8")
}

fn rounded(value: f64, low: f64, high: f64) -> String {
    let short = format!("{value:.3e}").parse::<f64>().unwrap_or(value);
    short.clamp(low, high).to_string()
}

/// A setting that is searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name of the setting: an option of `ackermann train` without its dashes.
    pub name: String,
    /// Its values.
    pub domain: Domain,
}

/// Everything that is searched, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Space(pub Vec<Parameter>);

impl Space {
    /// Reads items of a command line: `NAME=VALUES` (see [`Domain::parse`]) or the path of a `.toml` or `.json` file with
    /// such a table. Errors: an item that is neither, a name given twice, no item at all.
    pub fn parse(items: &[String]) -> Result<Self> {
        let mut space = Self::default();
        for item in items {
            match item.split_once('=') {
                Some((name, values)) => space.add(name, Domain::parse(values), &format!("--space {item}"))?,
                None => space.read(Path::new(item))?,
            }
        }
        match space.0.is_empty() {
            true => {
                Err(Error::usage("--space", "there is nothing to search; say for example --space lr=log:1e-4..1e-2"))
            }
            false => Ok(space),
        }
    }

    fn add(&mut self, name: &str, domain: std::result::Result<Domain, String>, place: &str) -> Result<()> {
        let name = name.trim().trim_start_matches("--");
        let domain = domain.map_err(|reason| Error::usage(place, reason))?;
        if name.is_empty() || self.0.iter().any(|parameter| parameter.name == name) {
            return Err(Error::usage(place, format!("`{name}` is empty or already searched; name each setting once")));
        }
        self.0.push(Parameter { name: name.to_string(), domain });
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::reading(path, &e))?;
        let wrong = |reason: String| Error::new(ErrorKind::BadFile, path.display(), reason);
        let table: BTreeMap<String, Values> = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?,
            Some("toml") => toml::from_str(&text).map_err(|e| wrong(e.message().to_string()))?,
            _ => return Err(Error::usage(path.display(), "is no NAME=VALUES and no .toml or .json file")),
        };
        for (name, values) in table {
            let domain = match values {
                Values::Text(text) => Domain::parse(&text),
                Values::List(values) => Domain::choice(values.iter().map(Scalar::to_string).collect()),
            };
            self.add(&name, domain, &format!("{}: {name}", path.display()))?;
        }
        Ok(())
    }
}

/// Values in a file: as on a command line, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Text(String),
    List(Vec<Scalar>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Whole(i64),
    Number(f64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}
