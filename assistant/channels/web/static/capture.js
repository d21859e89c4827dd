/** An AudioWorklet between microphone and socket: blocks of 100 ms, PCM16 mono at 16,000 Hz, with their level. */

const RATE_HZ = 16_000; // what the recognizers of the server were made for
const BLOCK = RATE_HZ / 10;
const REACH = 16; // samples of 16,000 Hz on each side that a resampled one is made from

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.resampled = sampleRate === RATE_HZ ? (samples) => samples : resampler(sampleRate / RATE_HZ);
  }

  process([channels]) {
    if (channels.length) for (const sample of this.resampled(mixed(channels))) this.keep(sample);
    return true;
  }

  keep(sample) {
    this.block[this.filled++] = Math.max(-1, Math.min(1, sample)) * 0x7fff;
    if (this.filled < BLOCK) return;
    this.port.postMessage({ pcm: this.block.buffer, level: level(this.block) }, [this.block.buffer]);
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
  }
}

function mixed(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, at) => channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length);
}

/** How loud a block is, from 0 (-60 dB) to 1. */
function level(block) {
  const power = block.reduce((sum, sample) => sum + sample * sample, 0) / block.length;
  const decibels = 10 * Math.log10(power / 0x7fff ** 2 + 1e-9);
  return Math.max(0, Math.min(1, 1 + decibels / 60));
}

/** `step` samples become one; what is too high for the lower rate is taken out. Firefox alone needs it:
    its microphones keep to the rate of the device. */
function resampler(step) {
  let waiting = new Float32Array(0);
  let at = 0; // of the next sample, in `waiting`
  const reach = Math.ceil(REACH * step);
  return (samples) => {
    const all = new Float32Array(waiting.length + samples.length);
    all.set(waiting);
    all.set(samples, waiting.length);
    const made = [];
    for (; at + 2 * reach < all.length; at += step) made.push(weighed(all, at + reach, step, reach));
    const done = Math.floor(at);
    waiting = all.slice(done);
    at -= done;
    return made;
  };
}

/** The sound at a place between samples: a sinc of the lower rate under a Hann window. */
function weighed(samples, place, step, reach) {
  let sum = 0;
  let weights = 0;
  for (let at = Math.ceil(place - reach); at <= place + reach; at++) {
    const x = (at - place) / step;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * (at - place)) / reach));
    sum += weight * (samples[at] ?? 0);
    weights += weight;
  }
  return sum / weights;
}

registerProcessor("capture", Capture);
