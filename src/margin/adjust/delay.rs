//! A line of past levels: what was asked a given time ago.
//!
//! Sampled at up to 4,096 points however long the time is; allocated once, when the step's length is known.

/// The line.
#[derive(Clone, Debug)]
pub struct Delay {
    seconds: f64,
    line: Vec<f64>,
    next: usize,
    every: u32,
    left: u32,
}

const POINTS: f64 = 4_096.0;

impl Delay {
    /// A line of a length in seconds.
    pub const fn new(seconds: f64) -> Self {
        Self {
            seconds,
            line: Vec::new(),
            next: 0,
            every: 1,
            left: 0,
        }
    }

    /// Takes a level in, and tells the level of that time ago: the first one until then. The
    /// time is met to within 1/4096, and is never shorter.
    pub fn pass(&mut self, level: f64, dt: f64) -> f64 {
        if self.line.is_empty() {
            let steps = (self.seconds / dt - 1e-9).ceil().max(0.0);
            self.every = (steps / POINTS).ceil().max(1.0) as u32;
            let points = (steps / f64::from(self.every)).ceil() as usize + 1;
            self.line = vec![level; points];
        }
        if self.left == 0 {
            self.left = self.every;
            self.line[self.next] = level;
            self.next = (self.next + 1) % self.line.len();
        }
        self.left -= 1;
        self.line[self.next]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_is_what_went_in_that_long_ago() {
        let mut line = Delay::new(3.0);
        let out: Vec<f64> = (0..8).map(|k| line.pass(f64::from(k), 1.0)).collect();
        assert_eq!(out, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        let mut none = Delay::new(0.0);
        assert_eq!((none.pass(1.0, 1.0), none.pass(2.0, 1.0)), (1.0, 2.0));
        let mut long = Delay::new(10_000.0);
        let out: Vec<f64> = (0..20_000).map(|k| long.pass(f64::from(k), 1.0)).collect();
        assert!(
            (9_990.0..=10_000.0).contains(&out[19_999]),
            "{}",
            out[19_999]
        );
    }
}
