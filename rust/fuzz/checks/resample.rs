//! Any rates, any samples in any blocks: as many come out as belong there, the same ones however they came in.

use mybro_audio::resample::Resampler;

pub fn check(source: u16, target: u16, samples: &[i16], block: u8) {
    let Some(mut whole) = Resampler::new(usize::from(source) % 500, usize::from(target) % 500)
    else {
        return;
    };
    let mut parts = Resampler::new(usize::from(source) % 500, usize::from(target) % 500).unwrap();
    let (mut once, mut many) = (Vec::new(), Vec::new());
    whole.push(samples, &mut once);
    whole.finish(&mut once);
    for part in samples.chunks(usize::from(block).max(1)) {
        parts.push(part, &mut many);
    }
    parts.finish(&mut many);
    assert_eq!(once, many);
    let wanted = samples.len() * (usize::from(target) % 500);
    assert_eq!(once.len(), wanted.div_ceil(usize::from(source) % 500));
}
