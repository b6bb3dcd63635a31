//! Where price is made: contracts, orders, the book, the impact law, oracle, mark and funding.

pub mod anchor;
pub mod contract;
pub mod funding;
pub mod mark;
pub mod oracle;
pub mod order;
pub mod venue;

pub use contract::Contract;
pub use order::{Execution, Fill, Order, OrderId, Refusal, Standing};
pub use venue::{Conditions, Quote, Venue};
