//! What the files say, and whether it holds. No file is read here.

mod documents;

pub use documents::{Documents, FileText, Rejection, SHIPPED, judge};
