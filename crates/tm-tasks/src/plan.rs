//! From a requirements document to a plan, the part that needs no model.
//!
//! [`parts`] divides the work, and [`pieces`] what is too much for one task; [`background`] is what a document says beside it, in the words that a
//! small model can read; [`affinity`] says which tasks build on which; [`assemble`] gives ids and dependencies
//! that cannot be wrong; [`coverage`] looks up which requirements the tasks have; [`terms`] says how
//! alike texts are; [`titles`] makes titles of the document's own words; [`tree`] is a document of any size divided down to single pieces of work.

pub mod affinity;
pub mod assemble;
pub mod background;
pub mod coverage;
pub mod parts;
pub mod pieces;
pub mod terms;
pub mod titles;
pub mod tree;
mod words;

pub use words::{alike, words};
