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

/// Where schedulers say which of an array's tasks this is: the task's number, how many there are, the lowest number, and the
/// step between numbers. Where a scheduler says no lowest number it counts from 0.
const SCHEDULERS: [[&str; 4]; 7] = [
    [
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
        "SLURM_ARRAY_TASK_MIN",
        "SLURM_ARRAY_TASK_STEP",
    ],
    [
        "AWS_BATCH_JOB_ARRAY_INDEX",
        "AWS_BATCH_JOB_ARRAY_SIZE",
        "",
        "",
    ],
    ["BATCH_TASK_INDEX", "BATCH_TASK_COUNT", "", ""],
    ["CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", "", ""],
    ["JOB_COMPLETION_INDEX", "", "", ""],
    ["PBS_ARRAY_INDEX", "", "", ""],
    ["HQ_TASK_ID", "", "", ""],
];

/// A part as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// k of n.
    Part(Shard),
    /// The part that the scheduler says, of as many as it says or as are named here.
    Auto(Option<u64>),
}

impl Asked {
    /// The part, with what the scheduler says in the environment's variables.
    ///
    /// # Errors
    ///
    /// What is missing, or doesn't fit.
    pub fn shard(self, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
        let named = match self {
            Self::Part(shard) => return Ok(shard),
            Self::Auto(named) => named,
        };
        let number = |name: &str| -> Result<Option<u64>, String> {
            if name.is_empty() {
                return Ok(None);
            }
            match variable(name) {
                None => Ok(None),
                Some(text) => match text.trim().parse() {
                    Ok(number) => Ok(Some(number)),
                    Err(_) => Err(format!("{name} is no whole number: found {text}")),
                },
            }
        };
        for [id, count, lowest, step] in SCHEDULERS {
            let Some(found) = number(id)? else {
                continue;
            };
            let Some(parts) = named.or(number(count)?) else {
                return Err(format!(
                    "{id} says which task this is, and nothing how many there are: expected --shard auto/N"
                ));
            };
            let (lowest, step) = (number(lowest)?.unwrap_or(0), number(step)?.unwrap_or(1));
            let place = found.checked_sub(lowest).map(|above| above / step.max(1));
            return match place {
                Some(place) if place < parts => Ok(Shard {
                    part: place + 1,
                    parts,
                }),
                _ => Err(format!(
                    "{id} is {found}, which is none of {parts} tasks counted from {lowest} on"
                )),
            };
        }
        let names: Vec<&str> = SCHEDULERS.iter().map(|names| names[0]).collect();
        Err(format!(
            "--shard auto: no scheduler says which task this is; none of {} is set",
            names.join(", ")
        ))
    }
}

impl FromStr for Asked {
    type Err = String;

    /// `k/n`, `auto`, or `auto/n` where the scheduler doesn't say how many there are.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            None if text == "auto" => Ok(Self::Auto(None)),
            Some(("auto", parts)) => match parts.parse() {
                Ok(parts @ 1..) => Ok(Self::Auto(Some(parts))),
                _ => Err(format!("expected auto/n with n from 1 on, found {text}")),
            },
            _ => text.parse().map(Self::Part),
        }
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
    fn schedulers_say_which_part_this_is() {
        let told = |asked: &str, set: &[(&str, &str)]| {
            let asked: Asked = asked.parse().unwrap();
            asked
                .shard(|name| {
                    let found = set.iter().find(|(known, _)| *known == name);
                    found.map(|(_, value)| (*value).to_owned())
                })
                .map(|shard| shard.to_string())
        };
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "7"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
        ];
        assert_eq!(told("auto", &slurm), Ok("4/4".to_owned()));
        let batch = [
            ("AWS_BATCH_JOB_ARRAY_INDEX", "0"),
            ("AWS_BATCH_JOB_ARRAY_SIZE", "3"),
        ];
        assert_eq!(told("auto", &batch), Ok("1/3".to_owned()));
        let indexed = [("JOB_COMPLETION_INDEX", "5")];
        assert_eq!(told("auto/8", &indexed), Ok("6/8".to_owned()));
        assert!(told("auto", &indexed).unwrap_err().contains("auto/N"));
        assert!(told("auto/5", &indexed).unwrap_err().contains("none of 5"));
        assert!(told("auto", &[]).unwrap_err().contains("no scheduler"));
        let odd = [("HQ_TASK_ID", "x")];
        assert!(told("auto/2", &odd).unwrap_err().contains("whole number"));
        assert_eq!(told("2/3", &slurm), Ok("2/3".to_owned()));
        assert!("auto/0".parse::<Asked>().is_err());
    }

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
