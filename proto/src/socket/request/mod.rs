//! What a client may say, and how it is written.

mod action;
mod said;
mod wish;

pub(super) use action::object;
pub use action::{Action, Request, RequestId, frame};
pub use said::*;
pub use wish::{BadWish, Names, Wanted, Wish};
