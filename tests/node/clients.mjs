// Both generations of socket.io-client, and how a script tells its test what it sees: one line of JSON each.
import io2 from "socket.io-client-2";
import { io as io4 } from "socket.io-client-4";

export const io = { 2: io2, 4: io4 };

export const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

// Milliseconds since 1970, with a fraction.
export const now = () => performance.timeOrigin + performance.now();

// What the test asks for.
export const asked = JSON.parse(process.argv[2]);
