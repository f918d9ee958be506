//! How tags look: a table, the current one first.

use tm_tasks::tags::TagSummary;

use crate::report::{
    Report,
    table::Table,
    text::{BOLD, DIM, GREEN, PLAIN, Text},
};

/// Of a moment, what people want to know about a tag: `2030-01-31`.
const DAY_LEN: usize = 10;

pub(super) fn print(tags: &[TagSummary], with_metadata: bool, report: &mut Report) {
    let mut titles = vec!["Tag", "Tasks", "Ready", "Done"];
    if with_metadata {
        titles.extend(["Created", "Description"]);
    }
    let mut table = Table::new(&titles, if with_metadata { "Description" } else { "Tag" });
    for tag in tags {
        let mut cells = vec![name(tag)];
        let numbers = [(tag.tasks, PLAIN), (tag.ready, GREEN), (tag.done, PLAIN)];
        cells.extend(numbers.map(|(number, style)| {
            let style = if number == 0 { DIM } else { style };
            Text::styled(style, &format!("{number:>5}"))
        }));
        if with_metadata {
            let day = tag.created.as_deref().and_then(|it| it.get(..DAY_LEN)).unwrap_or("–");
            cells.push(Text::styled(DIM, day));
            cells.push(tag.description.as_deref().unwrap_or("–").into());
        }
        table.push(cells);
    }
    report.lines(table.lines(report.columns()));
}

fn name(tag: &TagSummary) -> Text {
    if tag.is_current {
        Text::styled(GREEN, "● ").and(BOLD, &tag.name)
    } else {
        Text::plain("  ").and(PLAIN, &tag.name)
    }
}
