//! One table for people, in the terminal and in the report.

use comfy_table::{CellAlignment, ContentArrangement, presets};

use super::html::escape;

/// A table of text: the first column is left aligned, the others, being numbers as a rule, right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns whose cells show a bar in HTML: column, length of each row's bar from 0 to 1.
    bars: Vec<(usize, Vec<f64>)>,
    left: usize,
}

impl Table {
    /// A table with these column names; units belong into the names.
    pub fn new(header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), left: 1, ..Self::default() }
    }

    /// How many of the first columns are text and so left aligned; 1 unless said otherwise.
    pub fn left_columns(mut self, columns: usize) -> Self {
        self.left = columns;
        self
    }

    /// Adds a row; missing cells are empty, surplus ones are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.header.len(), String::new());
        self.rows.push(cells);
        self
    }

    /// Shows, in HTML, `values` (one per row) as bars behind the cells of `column`, the largest at full length.
    pub fn bars(&mut self, column: usize, values: &[f64]) -> &mut Self {
        let largest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        let length = |&value: &f64| if largest > 0.0 && value.is_finite() { (value / largest).max(0.0) } else { 0.0 };
        self.bars.push((column, values.iter().map(length).collect()));
        self
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// For a terminal: columns aligned, a rule below the header, no colours.
    pub fn to_terminal(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.header);
        table.set_style(comfy_table::TableComponent::HeaderLines, '─');
        table.set_style(comfy_table::TableComponent::MiddleHeaderIntersections, '─');
        self.rows.iter().for_each(|row| {
            table.add_row(row);
        });
        for (index, column) in table.column_iter_mut().enumerate() {
            let side = if index < self.left { CellAlignment::Left } else { CellAlignment::Right };
            column.set_cell_alignment(side);
        }
        table.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>().join("\n")
    }

    /// For the report; it scrolls sideways where the page is too narrow.
    pub fn to_html(&self) -> String {
        let class = |column: usize| if column < self.left { " class=\"text\"" } else { "" };
        let mut out = String::from("<div class=\"scroll\"><table><thead><tr>");
        for (column, name) in self.header.iter().enumerate() {
            out += &format!("<th{}>{}</th>", class(column), escape(name));
        }
        out += "</tr></thead><tbody>";
        for (index, row) in self.rows.iter().enumerate() {
            out += "<tr>";
            for (column, cell) in row.iter().enumerate() {
                let bar = self.bars.iter().find(|(at, _)| *at == column).and_then(|(_, lengths)| lengths.get(index));
                let style = bar.map_or(String::new(), |length| format!(" style=\"--bar:{:.1}%\"", length * 100.0));
                out += &format!("<td{}{style}>{}</td>", class(column), escape(cell));
            }
            out += "</tr>";
        }
        out + "</tbody></table></div>"
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_terminal())
    }
}
