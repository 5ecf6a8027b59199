//! Which part of a picture a network looks at; a blob carries it as text (`input.crop`).

use super::{Crop, Size};

/// A part of a picture: first and last row and, optionally, column, ends included. Written `40..119` or `40..119,10..149`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Window {
    /// First and last row.
    pub rows: (u16, u16),
    /// First and last column; `None` is the full width.
    pub columns: Option<(u16, u16)>,
}

impl Window {
    /// Reads a window; `None` if `text` is none, or holds nothing.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(',') {
            None => Some(Self { rows: ends(text)?, columns: None }),
            Some((rows, columns)) => Some(Self { rows: ends(rows)?, columns: Some(ends(columns)?) }),
        }
    }

    /// This window of a picture of size `source`. It may reach outside: planning the resize refuses that.
    pub fn crop(&self, source: Size) -> Crop {
        let length = |(first, last): (u16, u16)| (usize::from(last) + 1).saturating_sub(usize::from(first));
        let (left, width) = match self.columns {
            Some(columns) => (usize::from(columns.0), length(columns)),
            None => (0, source.width),
        };
        Crop { top: usize::from(self.rows.0), left, size: Size::new(length(self.rows), width) }
    }
}

impl core::fmt::Display for Window {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}..{}", self.rows.0, self.rows.1)?;
        match self.columns {
            Some((first, last)) => write!(f, ",{first}..{last}"),
            None => Ok(()),
        }
    }
}

fn ends(text: &str) -> Option<(u16, u16)> {
    let (first, rest) = text.split_once('.')?;
    let (first, last) = (number(first)?, number(rest.strip_prefix('.')?)?);
    (first <= last).then_some((first, last))
}

/// The standard library's parser brings a panic path along.
fn number(text: &str) -> Option<u16> {
    let digits = text.as_bytes().trim_ascii();
    let value = digits.iter().try_fold(0u16, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    });
    value.filter(|_| !digits.is_empty())
}
