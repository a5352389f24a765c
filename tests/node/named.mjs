// The ten-line client: every alert, under its own name; and what else may be told to one that does not subscribe.
// {generation, url, transports?}
import { asked, io, say } from "./clients.mjs";

const options = { reconnectionDelay: 100, reconnectionDelayMax: 500 };
if (asked.transports) options.transports = asked.transports;
const socket = io[asked.generation](asked.url, options);
socket.on("connect", () => say({ connected: true }));
socket.on("alert", (alert) => say({ named: "alert", event: alert }));
socket.on("reset", (reset) => say({ reset }));
socket.on("gauges", (gauges) => say({ gauges }));
socket.on("disconnect", (reason) => say({ disconnected: reason }));
