//! What is decided: what a text is about, and which of its sentences say most. No runtime, no files, no clock, no
//! randomness: the same examples make the same model, the same text gets the same answer.

pub mod corpus;
pub mod features;
pub mod model;
pub mod reload;
pub mod sentences;
pub mod summary;
pub mod training;
pub mod words;
