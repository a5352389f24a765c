// One subscriber: {generation, url, transports?, subscribe, deaf?}. A deaf one hears from its second connection on.
import { asked, io, say } from "./clients.mjs";
import { Subscriber } from "./subscriber.mjs";

const options = { reconnectionDelay: 100, reconnectionDelayMax: 500 };
if (asked.transports) options.transports = asked.transports;
const socket = io[asked.generation](asked.url, options);
const subscriber = new Subscriber(socket, asked.subscribe);
subscriber.deaf = asked.deaf ?? false;
socket.on("disconnect", () => {
  subscriber.deaf = false;
});
socket.on("connect_error", (error) => say({ unreachable: String(error) }));
socket.on("refused", (refused) => say({ refused }));
