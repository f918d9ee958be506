//! The HTTP door: what other programs reach us through.
//!
//! [`gateway`] has the endpoints, [`serve`] the socket beneath them. What a client speaks is known
//! to `tm_llm::dialect`. Start at [`serve::serve`].

pub mod gateway;
mod metrics;
pub mod serve;
