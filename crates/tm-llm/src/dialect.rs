//! The protocols of model servers, as pure functions between bytes and what they mean.
//!
//! [`ask`] is what servers are asked and how they answer, [`serve`] what clients ask of us.
//! [`frames`] cuts a stream of bytes into messages, and [`reasoning`] tells thoughts from answers
//! where servers mix them.

pub mod ask;
pub mod frames;
pub mod reasoning;
pub mod serve;
