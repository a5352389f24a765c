// Many subscribers in one process: {generation, url, count, transports}. Says when all are subscribed, and when all have received
// an event; and each thing that must not happen.
import { asked, io, now, say } from "./clients.mjs";
import { Subscriber } from "./subscriber.mjs";

let subscribed = 0;
const received = new Map();

function member() {
  const socket = io[asked.generation](asked.url, {
    forceNew: true,
    transports: asked.transports,
    reconnectionDelay: 400,
    reconnectionDelayMax: 400,
  });
  let last;
  let following = false;
  new Subscriber(socket, {}, (told) => {
    if (told.answer) {
      if (told.answer.mode !== "delta") say({ fault: told.answer });
      last ??= told.answer.head;
      following = true;
      subscribed += 1;
      if (subscribed === asked.count) say({ everybody: "subscribed", at: now() });
    }
    if (told.disconnected) {
      subscribed -= Number(following);
      following = false;
      if (subscribed === 0) say({ nobody: "subscribed" });
    }
    for (const event of told.frame?.events ?? []) {
      if (event.seq !== last + 1) say({ fault: `${event.seq} after ${last}` });
      last = event.seq;
      const count = (received.get(last) ?? 0) + 1;
      received.set(last, count);
      if (count === asked.count) say({ everybody: "received", seq: last, at: now() });
    }
    // Before it has subscribed it is sent what happens under its own name.
    if ((told.named && following) || told.refused) say({ fault: told });
  });
}

for (let count = 0; count < asked.count; count += 1) member();
