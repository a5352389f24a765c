// The ten-line client: every alert, under its own name.
import { asked, io, say } from "./clients.mjs";

const socket = io[asked.generation](asked.url);
socket.on("connect", () => say({ connected: true }));
socket.on("alert", (alert) => say({ named: "alert", event: alert }));
