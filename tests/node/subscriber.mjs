// A client that keeps its place in the stream: what every careful client does, in a few lines.
import { now, say } from "./clients.mjs";

export class Subscriber {
  // Where to resume; none before the stream has said where it is.
  since = undefined;
  // A deaf one takes no notice of frames: it neither keeps its place nor acks.
  deaf = false;

  constructor(socket, wanted, told = say) {
    this.socket = socket;
    this.wanted = wanted;
    this.told = told;
    this.since = wanted.since;
    socket.on("connect", () => this.subscribe());
    socket.on("subscribed", (subscribed) => this.placed(subscribed));
    socket.on("gauges", (gauges) => told({ gauges }));
    socket.on("refused", (refused) => told({ refused }));
    socket.on("events", (frame, ack) => this.receive(frame, ack));
    for (const name of ["alert", "heartbeat", "log", "status_update"]) {
      socket.on(name, (event) => told({ named: name, event }));
    }
    socket.on("disconnect", (reason) => {
      told({ disconnected: reason });
      // Whoever is sent away by the server comes back only if it says so.
      if (reason === "io server disconnect") socket.connect();
    });
  }

  subscribe() {
    this.told({ connected: this.socket.io.engine.transport.name });
    this.socket.emit("subscribe", { ...this.wanted, since: this.since }, (answer) => {
      this.told({ answer });
    });
  }

  // Where the stream says that it goes on: after a subscription, and when what came next isn't kept any more.
  placed(subscribed) {
    if (subscribed.mode === "reset" || this.since === undefined) {
      this.since = `${subscribed.epoch}:${subscribed.head}`;
    }
    this.told({ subscribed });
  }

  receive(frame, ack) {
    if (this.deaf) {
      this.told({ unheard: frame });
      return;
    }
    this.since = frame.to;
    this.told({ frame, at: now() });
    ack();
  }
}
