// Runs beside the sound: the microphone's samples as 16-bit numbers at 16 kHz, in pieces of 40 ms.

const RATE = 16000;
const PIECE = 640;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.sum = 0;
    this.weight = 0;
  }

  process(inputs) {
    const input = inputs[0][0];
    if (!input) return true;
    for (const sample of input) this.take(sample);
    return true;
  }

  // Each output is the mean over its stretch of input, which keeps most of what is too high for it out.
  take(sample) {
    let left = 1;
    while (this.weight + left >= this.step - 1e-9) {
      const part = this.step - this.weight;
      this.put((this.sum + sample * part) / this.step);
      left -= part;
      this.sum = 0;
      this.weight = 0;
    }
    this.sum += sample * left;
    this.weight += left;
  }

  put(value) {
    this.piece[this.filled] = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
    this.filled += 1;
    if (this.filled === PIECE) {
      this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
      this.piece = new Int16Array(PIECE);
      this.filled = 0;
    }
  }
}

registerProcessor("capture", Capture);
