//! From a user's files to a world.

pub mod load;
