//! Which classes are taken for which: a confusion matrix as a picture.

use plotters::element::{Rectangle, Text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Figure;
use super::svg::{Drawn, GRID, PALETTE, label_style, render};

/// Side of the matrix and of the labels beside it, user units.
const SIDE: i32 = 440;
const LABELS: i32 = 96;
/// With more classes than this, cells have no room for numbers, with more than the second, none for names.
const MOST_NUMBERS: usize = 16;
const MOST_NAMES: usize = 30;
/// Most letters of a name.
const MOST_LETTERS: usize = 10;

/// Draws `counts[true class][predicted class]`; a cell is as dark as its share of its row.
pub fn confusion(caption: &str, names: &[String], counts: &[Vec<usize>]) -> Figure {
    let size = (SIDE + LABELS) as u32;
    let body = render((size, size), |area| {
        let classes = counts.len().max(1) as i32;
        let edge = |at: usize| SIDE * at as i32 / classes;
        let middle = |at: usize| (edge(at) + edge(at + 1)) / 2;
        for (row, cells) in counts.iter().enumerate() {
            let all = cells.iter().sum::<usize>().max(1);
            for (column, &count) in cells.iter().enumerate() {
                let cell = [(LABELS + edge(column), edge(row)), (LABELS + edge(column + 1), edge(row + 1))];
                let shade = PALETTE[0].mix(count as f64 / all as f64).filled();
                area.draw(&Rectangle::new(cell, shade))?;
                area.draw(&Rectangle::new(cell, GRID))?;
                if count > 0 && counts.len() <= MOST_NUMBERS {
                    let style = label_style().pos(Pos::new(HPos::Center, VPos::Center));
                    area.draw(&Text::new(count.to_string(), (LABELS + middle(column), middle(row)), style))?;
                }
            }
        }
        labels(area, names, counts.len(), middle)
    });
    Figure { body, caption: caption.into() }
}

/// Names left of the rows and, turned, below the columns.
fn labels(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    names: &[String],
    classes: usize,
    middle: impl Fn(usize) -> i32,
) -> Drawn {
    if classes > MOST_NAMES {
        return Ok(());
    }
    let right = label_style().pos(Pos::new(HPos::Right, VPos::Center));
    let below = right.transform(FontTransform::Rotate270);
    for (at, name) in names.iter().take(classes).enumerate() {
        let short: String = name.chars().take(MOST_LETTERS).collect();
        area.draw(&Text::new(short.clone(), (LABELS - 6, middle(at)), right.clone()))?;
        area.draw(&Text::new(short, (LABELS + middle(at), SIDE + 6), below.clone()))?;
    }
    Ok(())
}
