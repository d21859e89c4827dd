/** The line to the server: opened again and again until it is there. */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
const MOST_WAITING_BYTES = 10 * 16_000 * 2; // ten seconds of sound on a line that is too slow: then it is lost

export class KioskLine {
  /** `tell` gets every message, `connected` whether the server is there. */
  constructor(language, tell, connected) {
    this.hello = { type: "hello", language };
    this.tell = tell;
    this.connected = connected;
    this.pauseMs = FIRST_PAUSE_MS;
  }

  open() {
    const address = new URL("/api/kiosk", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.send(this.hello);
    this.socket.onclose = () => this.lost();
    this.socket.onmessage = ({ data }) => this.told(data instanceof ArrayBuffer ? data : JSON.parse(data));
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  sendSound(pcm) {
    if (this.isOpen && this.socket.bufferedAmount < MOST_WAITING_BYTES) this.socket.send(pcm);
  }

  /** A server that has too much to do takes the line and hangs up: it is there when it says that it is ready. */
  told(message) {
    this.tell(message);
    if (message.type !== "ready") return;
    this.pauseMs = FIRST_PAUSE_MS;
    this.connected(true);
  }

  lost() {
    this.connected(false);
    setTimeout(() => this.open(), this.pauseMs);
    this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
  }
}
