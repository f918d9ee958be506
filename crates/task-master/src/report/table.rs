//! Tables that fit the terminal.
//!
//! Columns are as wide as their widest cell; when that is too much for the terminal, the one
//! column that may shrink gives way. What is in the cells is the caller's business.

use super::text::{BOLD, DIM, Text};

/// Rows under a header.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A text and how many columns it takes, which is counted once.
#[derive(Debug, Clone)]
struct Cell {
    text: Text,
    width: usize,
}

#[derive(Debug, Clone)]
struct Column {
    title: &'static str,
    may_shrink: bool,
}

/// The space between two columns.
const GAP: usize = 2;
/// What a shrinking column keeps in any case.
const NARROWEST: usize = 12;

impl Table {
    /// A table with these columns, of which the one named `shrinking` gives way.
    pub fn new(titles: &[&'static str], shrinking: &str) -> Self {
        let column = |title: &&'static str| Column { title, may_shrink: *title == shrinking };
        Self { columns: titles.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row, one cell for each column.
    pub fn push(&mut self, cells: Vec<Text>) {
        self.rows.push(cells.into_iter().map(Cell::from).collect());
    }

    /// The lines of the table in at most so many columns; without a limit where none is given.
    pub fn lines(self, width: Option<usize>) -> impl Iterator<Item = Text> {
        let widths = self.widths(width);
        let rule = "─".repeat(widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1));
        let titles = self.columns.iter().map(|it| Text::styled(BOLD, it.title).into()).collect();
        let head = [line(titles, &widths), Text::styled(DIM, &rule)];
        head.into_iter().chain(self.rows.into_iter().map(move |it| line(it, &widths)))
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let title_widths = self.columns.iter().map(|it| Text::plain(it.title).width());
        let mut widths: Vec<usize> = title_widths.collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = cell.width.max(*widest);
            }
        }
        let needed = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let excess = width.map_or(0, |it| needed.saturating_sub(it));
        for (column, width) in self.columns.iter().zip(&mut widths) {
            if column.may_shrink {
                *width = width.saturating_sub(excess).max(NARROWEST.min(*width));
            }
        }
        widths
    }
}

impl From<Text> for Cell {
    fn from(text: Text) -> Self {
        let width = text.width();
        Self { text, width }
    }
}

fn line(cells: Vec<Cell>, widths: &[usize]) -> Text {
    let mut line = Text::default();
    for (cell, &width) in cells.into_iter().zip(widths) {
        let cell = if cell.width > width { cell.text.fit(width).into() } else { cell };
        line.push_text(&cell.text);
        line.push_space(width - cell.width + GAP);
    }
    line
}

#[cfg(test)]
mod tests;
