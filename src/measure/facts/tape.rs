//! What a run left of one market: a bar for each stretch of time, and what was traded by force.

/// One stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// Log return of the mid over it.
    pub log_return: f64,
    /// Quantity traded in it.
    pub volume: f64,
    /// Mean quoted spread over the mid; undefined where a side was empty.
    pub spread: f64,
    /// Standard deviation of the log returns of its steps.
    pub volatility: f64,
}

/// One forced trade.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fill {
    /// Seconds since the start.
    pub seconds: f64,
    /// Value: + of a long that was sold, − of a short that was bought back.
    pub value: f64,
}

/// What a run left of one market.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tape {
    /// Bars of a minute, or of a step where that is longer.
    pub bars: Vec<Bar>,
    /// Seconds a bar.
    pub length: f64,
    /// Steps a bar.
    pub steps: usize,
    /// Forced trades, in order.
    pub forced: Vec<Fill>,
    /// Sizes of positions at the beginning of their liquidation.
    pub positions: Vec<f64>,
}

impl Tape {
    /// Bars from the steps of a market.
    ///
    /// `seconds`, `mid`, `bid`, `ask` and `volume` are columns of equal length, a value a step. A bar is a minute, or a
    /// step where that is longer; what doesn't fill a last bar is left out.
    pub fn of(seconds: &[f64], mid: &[f64], bid: &[f64], ask: &[f64], volume: &[f64]) -> Self {
        let dt = match seconds {
            [first, .., last] => (last - first) / (seconds.len() - 1) as f64,
            _ => return Self::default(),
        };
        let steps = ((60.0 / dt).round() as usize).max(1);
        let ln = crate::math::ops::ln;
        let mut bars = Vec::with_capacity(mid.len() / steps);
        let mut from = 0;
        while from + steps < mid.len() {
            let to = from + steps;
            let log_return = ln(mid[to] / mid[from]);
            let (mut squares, mut spread, mut traded) = (0.0, 0.0, 0.0);
            for at in from + 1..=to {
                let r = ln(mid[at] / mid[at - 1]);
                squares += r * r;
                spread += (ask[at] - bid[at]) / mid[at];
                traded += volume[at];
            }
            bars.push(Bar {
                log_return,
                volume: traded,
                spread: spread / steps as f64,
                volatility: (squares / steps as f64).sqrt(),
            });
            from = to;
        }
        Self {
            bars,
            length: dt * steps as f64,
            steps,
            ..Self::default()
        }
    }

    /// Log returns of so many bars at a time, one after another.
    pub fn returns(&self, bars: usize) -> Vec<f64> {
        self.bars
            .chunks_exact(bars.max(1))
            .map(|chunk| chunk.iter().map(|bar| bar.log_return).sum())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_minutes() {
        let n = 601;
        let seconds: Vec<f64> = (0..n).map(|k| f64::from(k) * 10.0).collect();
        let mid: Vec<f64> = (0..n).map(|k| 100.0 + f64::from(k)).collect();
        let bid: Vec<f64> = mid.iter().map(|m| m - 1.0).collect();
        let ask: Vec<f64> = mid.iter().map(|m| m + 1.0).collect();
        let tape = Tape::of(&seconds, &mid, &bid, &ask, &vec![2.0; n as usize]);
        assert_eq!((tape.steps, tape.bars.len(), tape.length), (6, 100, 60.0));
        assert!((tape.bars[0].log_return - crate::math::ops::ln(1.06)).abs() < 1e-12);
        assert_eq!(tape.bars[0].volume, 12.0);
        let all: f64 = tape.returns(100).iter().sum();
        assert!((all - crate::math::ops::ln(7.0)).abs() < 1e-12);
    }
}
