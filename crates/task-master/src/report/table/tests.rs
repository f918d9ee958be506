use super::*;

#[track_caller]
fn check(rows: &[[&str; 3]], width: Option<usize>, expected: &str) {
    let mut table = Table::new(&["ID", "Title", "Status"], "Title");
    for row in rows {
        table.push(row.iter().map(|it| Text::plain(it)).collect());
    }
    let mut out = String::new();
    for line in table.lines(width) {
        line.without_trailing_space().write(false, &mut out);
        out.push('\n');
    }
    assert_eq!(out, expected);
}

#[test]
fn columns_are_aligned() {
    check(
        &[["1", "Short", "done"], ["12", "日本語", "pending"]],
        None,
        "ID  Title   Status\n───────────────────\n1   Short   done\n12  日本語  pending\n",
    );
}

#[test]
fn one_column_gives_way_to_a_narrow_terminal() {
    check(
        &[["1", "A title that is much too long", "done"]],
        Some(30),
        "ID  Title               Status\n──────────────────────────────\n1   A title that is m…  done\n",
    );
}

#[test]
fn the_shrinking_column_keeps_a_few_letters() {
    check(
        &[["1", "A title that is much too long", "done"]],
        Some(5),
        "ID  Title         Status\n────────────────────────\n1   A title tha…  done\n",
    );
}
