//! A tree as people read it.

use std::fmt::Write as _;

use super::{Node, Stop, Tree};

/// The tree as nested lists, with the requirements below the leaves.
pub fn markdown(tree: &Tree) -> String {
    let mut text = format!("# {}\n\n", tree.document.title);
    let by = tree.made.model.as_deref().unwrap_or("no model");
    // Writing to a string cannot fail.
    _ = writeln!(
        text,
        "{} requirements of `{}` in {} pieces of work, divided by {by} (seed {}).\n",
        tree.requirements.len(),
        tree.document.path,
        tree.leaves().count(),
        tree.made.seed,
    );
    for node in &tree.nodes {
        let indent = "  ".repeat(node.depth.saturating_sub(1));
        _ = writeln!(text, "{indent}- **{} {}**{}", node.id, node.title, note(node));
        if node.children.is_empty() {
            for requirement in tree.requirements_of(node) {
                _ = writeln!(text, "{indent}  - {}: {}", requirement.id, requirement.text);
            }
        }
    }
    text
}

/// Why a leaf is one, and what it waits for.
fn note(leaf: &Node) -> String {
    let stop = match leaf.stop {
        None => return String::new(),
        Some(Stop::Atomic) => ": one piece of work",
        Some(Stop::OneUnit) => "",
        Some(Stop::Depth) => ": not divided further, the tree is deep enough",
        Some(Stop::Budget) => ": not divided further, no question was left",
    };
    let after = match leaf.depends_on.as_slice() {
        [] => String::new(),
        after => format!(" (after {})", after.join(", ")),
    };
    format!("{stop}{after}")
}
