//! The page: sections of text, tables and figures in one file, light or dark as the reader's system is.

use std::path::Path;

use super::{Figure, Table};
use crate::Result;

const STYLE: &str = include_str!("style.css");

/// A report under construction. All text is escaped; nothing is loaded from elsewhere.
#[derive(Debug, Clone)]
pub struct Report {
    title: String,
    body: String,
    /// Whether figures are being put side by side.
    in_grid: bool,
}

impl Report {
    /// An empty report.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_string(), body: format!("<h1>{}</h1>", escape(title)), in_grid: false }
    }

    /// The sentence below the title.
    pub fn lead(&mut self, text: &str) -> &mut Self {
        self.push(&format!("<p class=\"lead\">{}</p>", escape(text)))
    }

    /// A few headline numbers: (value, what it is).
    pub fn highlights(&mut self, items: &[(String, &str)]) -> &mut Self {
        let card = |(value, name): &(String, &str)| {
            format!("<div><b>{}</b><span>{}</span></div>", escape(value), escape(name))
        };
        let cards: String = items.iter().map(card).collect();
        self.push(&format!("<div class=\"cards\">{cards}</div>"))
    }

    /// Starts a section.
    pub fn section(&mut self, title: &str) -> &mut Self {
        self.push(&format!("<h2>{}</h2>", escape(title)))
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.push(&format!("<p>{}</p>", escape(text)))
    }

    /// A table.
    pub fn table(&mut self, table: &Table) -> &mut Self {
        self.push(&table.to_html())
    }

    /// A figure with its caption; figures that follow each other stand side by side where there is room.
    pub fn figure(&mut self, figure: &Figure) -> &mut Self {
        if !self.in_grid {
            self.body += "<div class=\"figures\">\n";
            self.in_grid = true;
        }
        self.body += &format!("<figure>{}<figcaption>{}</figcaption></figure>\n", figure.body, escape(&figure.caption));
        self
    }

    /// A figure over the full width.
    pub fn wide_figure(&mut self, figure: &Figure) -> &mut Self {
        let caption = escape(&figure.caption);
        self.push(&format!("<figure>{}<figcaption>{caption}</figcaption></figure>", figure.body))
    }

    /// The whole page.
    pub fn to_html(&self) -> String {
        let end = if self.in_grid { "</div>\n" } else { "" };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}{end}</main>\n</body>\n</html>\n",
            escape(&self.title),
            self.body
        )
    }

    /// Writes the page to `path`, whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> Result<()> {
        crate::files::write(path, self.to_html().as_bytes())
    }

    fn push(&mut self, html: &str) -> &mut Self {
        if self.in_grid {
            self.body += "</div>\n";
            self.in_grid = false;
        }
        self.body += html;
        self.body.push('\n');
        self
    }
}

/// Text as HTML text or attribute value.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}
