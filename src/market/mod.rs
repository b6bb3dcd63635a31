//! Where price is made: contracts, options on them, orders, the book, the impact law, oracle, mark and funding.

mod ambient;
pub mod anchor;
pub mod book;
pub mod contract;
pub mod frame;
pub mod funding;
pub mod impact;
pub mod mark;
pub mod option;
pub mod oracle;
pub mod order;
mod sparse;
pub mod venue;

pub use book::{Book, BookSettings};
pub use contract::Contract;
pub use frame::Frame;
pub use impact::{Impact, ImpactSettings};
pub use option::{Greeks, Right, Series, SeriesId, Settlement};
pub use order::{Execution, Fill, Order, OrderId, Refusal, Standing};
pub use venue::{Conditions, Quote, Venue};
