/** Plays blocks of PCM16 one right after the other, and is silent at once when told to. */

const HEAD_START_SECONDS = 0.08; // before the first block, so that a late second one leaves no gap

export class Player {
  /** `drained` is called whenever the last block has been played. */
  constructor(rateHz, drained) {
    this.rateHz = rateHz;
    this.drained = drained;
    this.sources = new Set();
    this.end = 0; // by the clock of the context, of what is scheduled
  }

  get isPlaying() {
    return this.sources.size > 0;
  }

  play(pcm) {
    const samples = Float32Array.from(new Int16Array(pcm), (sample) => sample / 0x8000);
    if (!samples.length) return;
    const context = this.opened();
    const buffer = context.createBuffer(1, samples.length, this.rateHz);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    source.onended = () => this.ended(source);
    const at = this.end > context.currentTime ? this.end : context.currentTime + HEAD_START_SECONDS;
    source.start(at);
    this.end = at + buffer.duration;
    this.sources.add(source);
    // For whoever wants to draw it, or to listen in a test.
    document.dispatchEvent(new CustomEvent("assistant:sound", { detail: { samples, rateHz: this.rateHz, at } }));
  }

  /** Throw away what has not been played. */
  silence() {
    for (const source of this.sources) {
      source.onended = null;
      source.stop();
    }
    this.sources.clear();
    this.end = 0;
  }

  close() {
    this.silence();
    this.context?.close();
    this.context = undefined;
  }

  /** A browser lets a page sound only after a touch or a key: call this from there. */
  wake() {
    this.opened().resume().catch(() => {});
  }

  /** At the voice's own rate: blocks that are resampled one by one would click at their edges. */
  opened() {
    this.context ??= new AudioContext({ sampleRate: this.rateHz });
    return this.context;
  }

  ended(source) {
    this.sources.delete(source);
    if (!this.isPlaying) this.drained();
  }
}
