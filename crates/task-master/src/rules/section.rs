//! A section of ours in a file of the user's: put in, renewed and taken out, and the rest stays.
//!
//! Pure: texts in, texts out.

const START: &str = "<!-- task-master: begin -->";
const END: &str = "<!-- task-master: end -->";

/// The file with this section, which replaces an older one.
pub(super) fn put(existing: &str, section: &str) -> String {
    let section = format!("{START}\n{}\n{END}\n", section.trim_end());
    if let Some((before, after)) = around(existing) {
        return format!("{before}{section}{after}");
    }
    let gap = match existing {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    format!("{existing}{gap}{section}")
}

/// The file without the section; nothing when it has none.
pub(super) fn take_out(existing: &str) -> Option<String> {
    let (before, after) = around(existing)?;
    let before = before.trim_end_matches('\n');
    let gap = match (before.is_empty(), after.is_empty()) {
        (true, _) => "",
        (false, true) => "\n",
        (false, false) => "\n\n",
    };
    Some(format!("{before}{gap}{}", after.trim_start_matches('\n')))
}

/// What comes before the section and after it.
fn around(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some((before, after.strip_prefix('\n').unwrap_or(after)))
}

#[cfg(test)]
mod tests;
