//! The HTTP door: what other programs reach us through.
//!
//! [`gateway`] has the endpoints, [`serve`] the socket beneath them, [`keys`] knows who may use
//! them, [`otlp`] sends what is measured. What a client speaks is known to `tm_llm::dialect`. Start
//! at [`serve::serve`].

pub mod gateway;
pub mod keys;
mod metrics;
pub mod otlp;
pub mod serve;
