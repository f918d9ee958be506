//! Plans: made of requirement documents, one task at a time.

pub mod parse_prd;
