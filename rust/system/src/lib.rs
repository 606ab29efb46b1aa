//! What the machine is doing, in microseconds: CPU, memory, temperature, battery.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub use linux::read;
#[cfg(target_os = "macos")]
pub use macos::read;

/// One look at the machine. What it does not tell is None.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Ticks since the start, of all cores: at work, and in all. The share between two looks is the load.
    pub busy_ticks: u64,
    pub total_ticks: u64,
    pub memory_total: u64,
    /// Bytes that can be had without swapping.
    pub memory_available: u64,
    /// Of one, five and fifteen minutes.
    pub load: [f64; 3],
    /// The hottest sensor, in degrees Celsius.
    pub temperature: Option<f64>,
    /// 0 to 100.
    pub battery: Option<f64>,
    pub charging: Option<bool>,
    /// 0 to 100.
    pub gpu: Option<f64>,
}

/// The share of its time that the machine worked between two looks, 0 to 1; None where no time passed.
pub fn cpu_share(before: &Snapshot, after: &Snapshot) -> Option<f64> {
    let total = after
        .total_ticks
        .checked_sub(before.total_ticks)
        .filter(|ticks| *ticks > 0)?;
    let busy = after
        .busy_ticks
        .saturating_sub(before.busy_ticks)
        .min(total);
    Some(busy as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_plausible() {
        let look = read();
        assert!(look.memory_total > look.memory_available && look.memory_available > 0);
        assert!(look.total_ticks >= look.busy_ticks && look.total_ticks > 0);
        assert!(look.load.iter().all(|load| (0.0..100_000.0).contains(load)));
        assert!(look
            .temperature
            .is_none_or(|degrees| (-50.0..200.0).contains(&degrees)));
        assert!(look
            .battery
            .is_none_or(|percent| (0.0..=100.0).contains(&percent)));
    }

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        let look = |busy_ticks, total_ticks| Snapshot {
            busy_ticks,
            total_ticks,
            ..Snapshot::default()
        };
        assert_eq!(cpu_share(&look(10, 100), &look(60, 200)), Some(0.5));
        assert_eq!(cpu_share(&look(10, 100), &look(10, 100)), None);
        assert_eq!(cpu_share(&look(10, 200), &look(10, 100)), None);
        assert_eq!(cpu_share(&look(50, 100), &look(10, 200)), Some(0.0));
    }
}
