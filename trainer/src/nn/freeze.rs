//! Parameters that stay as they are, by pattern.

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// Patterns of names of parameters, or of layers, which hold all that is in them: `conv*` holds `conv1.weight`, `time1` also
/// `time1.conv1.weight`, which `conv1` does not, but `*.conv1`. `*` is any text, `?` any one character.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Freeze {
    patterns: Vec<String>,
}

impl Freeze {
    /// Nothing is frozen.
    pub const NONE: Self = Self { patterns: Vec::new() };

    /// Parameters whose name one of `patterns` matches.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { patterns: patterns.into_iter().map(Into::into).collect() }
    }

    /// Whether nothing is.
    pub fn is_none(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the parameter of this name is frozen: a pattern matches it, or a layer that it is in.
    pub fn holds(&self, name: &str) -> bool {
        let layers = || name.match_indices('.').map(|(end, _)| &name[..end]);
        self.patterns.iter().any(|pattern| {
            let pattern = WildMatch::new(pattern);
            layers().chain([name]).any(|part| pattern.matches(part))
        })
    }

    /// The first pattern that matches none of `names`.
    pub fn unused<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Option<&str> {
        let one = |pattern: &&String| !names.clone().any(|name| Self::new([pattern.as_str()]).holds(name));
        self.patterns.iter().find(one).map(String::as_str)
    }
}
