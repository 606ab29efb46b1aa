//! From a detector's probabilities, frame by frame, to where speech begins and ends.

/// What a frame brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Nothing new.
    None,
    /// Speech began at this frame.
    Began(u64),
    /// Speech ended before this frame.
    Ended(u64),
}

/// Two thresholds and two durations: a click does not begin speech, and a gap between words does not end it.
#[derive(Clone, Debug)]
pub struct Smoother {
    /// At least this begins speech.
    pub begin: f32,
    /// Below this is quiet; between the two nothing changes.
    pub end: f32,
    /// Frames of speech in a row that begin it.
    pub onset: u32,
    /// Frames of quiet in a row that end it.
    pub hangover: u32,
    frame: u64,
    speaking: bool,
    loud: u32,
    quiet: u32,
}

impl Smoother {
    pub fn new(begin: f32, end: f32, onset: u32, hangover: u32) -> Self {
        Self {
            begin,
            end,
            onset: onset.max(1),
            hangover: hangover.max(1),
            frame: 0,
            speaking: false,
            loud: 0,
            quiet: 0,
        }
    }

    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Take the next frame's probability; NaN counts as quiet.
    pub fn feed(&mut self, probability: f32) -> Edge {
        let frame = self.frame;
        self.frame += 1;
        if self.speaking {
            if probability >= self.end {
                self.quiet = 0;
                return Edge::None;
            }
            self.quiet += 1;
            if self.quiet < self.hangover {
                return Edge::None;
            }
            self.speaking = false;
            self.loud = 0;
            return Edge::Ended(frame + 1 - u64::from(self.quiet));
        }
        if probability >= self.begin {
            self.loud += 1;
        } else {
            self.loud = 0;
        }
        if self.loud < self.onset {
            return Edge::None;
        }
        self.speaking = true;
        self.quiet = 0;
        Edge::Began(frame + 1 - u64::from(self.loud))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(smoother: &mut Smoother, probabilities: &[f32]) -> Vec<Edge> {
        probabilities
            .iter()
            .map(|p| smoother.feed(*p))
            .filter(|edge| *edge != Edge::None)
            .collect()
    }

    #[test]
    fn a_click_begins_nothing_and_a_gap_ends_nothing() {
        let mut smoother = Smoother::new(0.5, 0.35, 2, 3);
        let heard = [0.9, 0.1, 0.9, 0.9, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1, f32::NAN];
        assert_eq!(
            edges(&mut smoother, &heard),
            [Edge::Began(2), Edge::Ended(7)]
        );
        assert!(!smoother.speaking());
    }
}
