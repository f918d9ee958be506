//! The crate from outside, with a scripted model.

mod structured;
