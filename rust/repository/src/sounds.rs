//! How alike names sound: what must change to make one sound from another. The costs are the caller's.

const LETTERS: usize = 128;

/// What each change of a sound's letters costs; letters are ASCII.
pub struct Costs {
    change: Vec<[f64; LETTERS]>,
    drop: [f64; LETTERS],
    weight: [f64; LETTERS],
    /// Leaving out a letter costs at least this share of its weight.
    cheapest: f64,
}

impl Costs {
    /// `change[i][j]` makes the letter `i` of the alphabet its letter `j`. None where the sizes are not its own.
    pub fn new(
        alphabet: &[u8],
        change: &[Vec<f64>],
        drop: &[f64],
        weight: &[f64],
        cheapest: f64,
    ) -> Option<Self> {
        let count = alphabet.len();
        let square = change.len() == count && change.iter().all(|row| row.len() == count);
        if !square || drop.len() != count || weight.len() != count || !alphabet.is_ascii() {
            return None;
        }
        let mut made = Self {
            change: vec![[1.0; LETTERS]; LETTERS],
            drop: [1.0; LETTERS],
            weight: [1.0; LETTERS],
            cheapest,
        };
        for (i, &one) in alphabet.iter().enumerate() {
            made.drop[usize::from(one)] = drop[i];
            made.weight[usize::from(one)] = weight[i];
            for (j, &other) in alphabet.iter().enumerate() {
                made.change[usize::from(one)][usize::from(other)] = change[i][j];
            }
        }
        Some(made)
    }

    /// 1 for the same sound, 0 for nothing in common, and for less than `least`.
    pub fn likeness(&self, left: &str, right: &str, least: f64, row: &mut Vec<f64>) -> f64 {
        let (mine, other) = (self.weight_of(left), self.weight_of(right));
        let longest = mine.max(other);
        let limit = (1.0 - least) * longest;
        if longest == 0.0 || self.cheapest * (mine - other).abs() > limit {
            return 0.0;
        }
        match self.distance(left, right, limit, row) {
            Some(distance) if 1.0 - distance / longest >= least => 1.0 - distance / longest,
            _ => 0.0,
        }
    }

    fn weight_of(&self, sound: &str) -> f64 {
        sound.bytes().map(|one| self.weight[letter(one)]).sum()
    }

    /// None where it is certain to be more than `limit`.
    fn distance(&self, left: &str, right: &str, limit: f64, row: &mut Vec<f64>) -> Option<f64> {
        row.clear();
        row.push(0.0);
        for other in right.bytes() {
            row.push(row[row.len() - 1] + self.drop[letter(other)]);
        }
        for one in left.bytes() {
            let (gone, near) = (self.drop[letter(one)], &self.change[letter(one)]);
            let mut diagonal = row[0];
            let mut last = row[0] + gone;
            let mut lowest = last;
            row[0] = last;
            for (at, other) in right.bytes().enumerate() {
                let above = row[at + 1];
                last = (diagonal + near[letter(other)])
                    .min(above + gone)
                    .min(last + self.drop[letter(other)]);
                diagonal = above;
                row[at + 1] = last;
                lowest = lowest.min(last);
            }
            if lowest > limit {
                return None;
            }
        }
        row.last().copied()
    }
}

fn letter(byte: u8) -> usize {
    usize::from(byte) % LETTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs() -> Costs {
        let change = [
            vec![0.0, 0.3, 1.0],
            vec![0.3, 0.0, 1.0],
            vec![1.0, 1.0, 0.0],
        ];
        Costs::new(b"PBa", &change, &[0.8, 0.8, 0.4], &[1.0, 1.0, 0.5], 0.8).unwrap()
    }

    #[test]
    fn the_same_is_one_and_nothing_in_common_is_zero() {
        let (costs, row) = (costs(), &mut Vec::new());
        for (left, right, least, wanted) in [
            ("PaP", "PaP", 0.0, 1.0),
            ("", "", 0.0, 0.0),
            ("P", "", 0.0, 0.2),
            ("PaP", "BaP", 0.0, 1.0 - 0.3 / 2.5),
            ("PaP", "BaP", 0.9, 0.0),
            ("PaPaPa", "P", 0.6, 0.0),
        ] {
            let found = costs.likeness(left, right, least, row);
            assert!((found - wanted).abs() < 1e-12, "{left} {right}: {found}");
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(Costs::new(b"P", &[vec![0.0, 1.0]], &[1.0], &[1.0], 0.8).is_none());
        assert!(Costs::new(&[200], &[vec![0.0]], &[1.0], &[1.0], 0.8).is_none());
    }
}
