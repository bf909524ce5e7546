//! Scales between values and pixels, with their ticks.

/// A scale; `low` lies at the pixel `from`, `high` at `to`.
#[derive(Clone, Copy)]
pub struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Axis {
    /// An even scale. Where `high` is not above `low`, it ends at `low` + 1.
    #[must_use]
    pub fn linear(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { low, high: if high > low { high } else { low + 1.0 }, from, to, logarithmic: false }
    }

    /// A scale of powers. `low` and `high` have to be above 0; smaller values are drawn at `low`.
    #[must_use]
    pub fn logarithmic(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { low, high, from, to, logarithmic: true }
    }

    /// The pixel of a value; one outside of the scale is drawn at its end.
    #[must_use]
    pub fn pixel(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Values of about five ticks: round numbers, or powers of ten.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let powers = self.low.log10().round() as i32..=self.high.log10().round() as i32;
            return powers.map(|power| 10f64.powi(power)).collect();
        }
        let span = self.high - self.low;
        let power = 10f64.powf((span / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| span / step <= 6.0);
        let step = step.unwrap_or(span);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|tick| tick as f64 * step).collect()
    }
}

/// A number with as many digits as it needs, four after the point at the most.
#[must_use]
pub fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_scale() {
        let ticks = |low, high| Axis::linear(low, high, 0.0, 1.0).ticks().into_iter().map(short).collect::<Vec<_>>();
        assert_eq!(ticks(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(ticks(0.9, 1.0), ["0.9", "0.92", "0.94", "0.96", "0.98", "1"]);
        assert_eq!(ticks(0.0, 37.0), ["0", "10", "20", "30"]);
        let powers: Vec<String> = Axis::logarithmic(0.001, 1.0, 0.0, 1.0).ticks().into_iter().map(short).collect();
        assert_eq!(powers, ["0.001", "0.01", "0.1", "1"]);
    }

    #[test]
    fn pixels_follow_the_scale_and_stay_on_it() {
        let axis = Axis::linear(0.0, 10.0, 100.0, 200.0);
        assert_eq!([0.0, 5.0, 10.0, 20.0, -1.0].map(|value| axis.pixel(value)), [100.0, 150.0, 200.0, 200.0, 100.0]);
        let axis = Axis::logarithmic(0.01, 1.0, 0.0, 100.0);
        assert!((axis.pixel(0.1) - 50.0).abs() < 1e-9 && axis.pixel(0.0) == 0.0);
    }
}
