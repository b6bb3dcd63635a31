//! Which points are whose.

use std::fmt;
use std::str::FromStr;

/// One of so many parts of a sweep. Points are dealt out in turn, because neighbours cost about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, counted from 1.
    pub part: u64,
    /// How many parts there are.
    pub parts: u64,
}

impl Shard {
    /// The whole sweep.
    pub const WHOLE: Self = Self { part: 1, parts: 1 };

    /// Whether a point is this part's.
    pub const fn has(self, point: u64) -> bool {
        point % self.parts == self.part - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.parts)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = text.split_once('/').and_then(|(part, parts)| {
            Some(Self {
                part: part.trim().parse().ok()?,
                parts: parts.trim().parse().ok()?,
            })
        });
        match found {
            Some(shard) if (1..=shard.parts).contains(&shard.part) => Ok(shard),
            _ => Err(format!("expected k/n with k from 1 to n, found {text}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_of_one_shard() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        for point in 0..20 {
            let owners = shards.iter().filter(|shard| shard.has(point)).count();
            assert_eq!(owners, 1);
        }
        assert!(shards[1].has(1) && Shard::WHOLE.has(5));
        for text in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
