//! Small models of their own: theory whose market isn't the engine's.
//!
//! A market that clears at one price, a deterministic map, a network of balance sheets, queues at two prices: none of them
//! is a venue with an order book and a ledger of margin accounts, so they stand here, each with the equations that it
//! computes and their source. They use the engine's draws and functions, and nothing of the engine uses them.

pub mod basel;
pub mod debtrank;
pub mod funds;
pub mod peg;
pub mod spiral;
