//! Parameters that stay as they are, by pattern.

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// Patterns of names: `conv*` holds `conv1.weight` and `conv2.bias`, `*` everything, `?` any one character.
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

    /// Whether the parameter of this name is frozen: a pattern matches it, or the layer that it belongs to.
    pub fn holds(&self, name: &str) -> bool {
        let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
        self.patterns.iter().any(|pattern| {
            let pattern = WildMatch::new(pattern);
            pattern.matches(name) || pattern.matches(layer)
        })
    }

    /// The first pattern that matches none of `names`.
    pub fn unused<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Option<&str> {
        let one = |pattern: &&String| !names.clone().any(|name| Self::new([pattern.as_str()]).holds(name));
        self.patterns.iter().find(one).map(String::as_str)
    }
}
