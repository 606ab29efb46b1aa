//! From /proc and /sys.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::Snapshot;

/// Looking for sensors takes longer than reading them: it is done once.
static SENSORS: OnceLock<Vec<PathBuf>> = OnceLock::new();
static BATTERY: OnceLock<Option<PathBuf>> = OnceLock::new();

/// One look at the machine.
pub fn read() -> Snapshot {
    let mut look = Snapshot::default();
    let mut buffer = [0; 4096];
    if let Some(text) = text("/proc/stat", &mut buffer) {
        (look.busy_ticks, look.total_ticks) = ticks(text);
    }
    if let Some(text) = text("/proc/meminfo", &mut buffer) {
        look.memory_total = kibibytes(text, "MemTotal:") * 1024;
        look.memory_available = kibibytes(text, "MemAvailable:") * 1024;
    }
    if let Some(text) = text("/proc/loadavg", &mut buffer) {
        let mut parts = text.split_ascii_whitespace();
        look.load = std::array::from_fn(|_| {
            parts
                .next()
                .and_then(|part| part.parse().ok())
                .unwrap_or(0.0)
        });
    }
    let sensors = SENSORS.get_or_init(|| below("/sys/class/thermal", "thermal_zone", "temp"));
    let degrees = sensors
        .iter()
        .filter_map(|path| number(path, &mut [0; 32]))
        .map(|milli| milli / 1000.0);
    look.temperature = degrees.reduce(f64::max);
    if let Some(place) = BATTERY.get_or_init(|| {
        below("/sys/class/power_supply", "BAT", "capacity")
            .into_iter()
            .next()
    }) {
        look.battery = number(place, &mut [0; 32]);
        let mut small = [0; 32];
        let status = text(place.with_file_name("status"), &mut small);
        look.charging = status.map(|status| matches!(status.trim(), "Charging" | "Full"));
    }
    look
}

fn below(folder: &str, prefix: &str, file: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    named
        .map(|entry| entry.path().join(file))
        .filter(|path| path.exists())
        .collect()
}

/// The beginning of a small file.
fn text(path: impl AsRef<Path>, buffer: &mut [u8]) -> Option<&str> {
    let count = File::open(path).ok()?.read(buffer).ok()?;
    let whole = &buffer[..count];
    std::str::from_utf8(whole).ok()
}

fn number(path: &Path, buffer: &mut [u8]) -> Option<f64> {
    text(path, buffer)?.trim().parse().ok()
}

fn ticks(stat: &str) -> (u64, u64) {
    let line = stat.lines().next().unwrap_or_default();
    // The last two, guest and guest_nice, are counted in the first two already.
    let counts: Vec<u64> = line
        .split_ascii_whitespace()
        .skip(1)
        .take(8)
        .map(|n| n.parse().unwrap_or(0))
        .collect();
    let total: u64 = counts.iter().sum();
    let idle: u64 = counts.iter().skip(3).take(2).sum();
    (total - idle, total)
}

fn kibibytes(meminfo: &str, name: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_count_waiting_as_idle() {
        assert_eq!(ticks("cpu  10 1 2 80 5 1 1 0 7 7\ncpu0 1 1"), (15, 100));
        assert_eq!(ticks(""), (0, 0));
    }

    #[test]
    fn memory_is_found_by_its_name() {
        assert_eq!(
            kibibytes("MemTotal:   100 kB\nMemFree: 3 kB", "MemFree:"),
            3
        );
        assert_eq!(kibibytes("", "MemFree:"), 0);
    }
}
