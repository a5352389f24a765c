// What the browser itself can prove of a receipt: that it is what its own hash says. Whether the chain is whole only the
// files can tell.

export type Proof =
  /** It hashes to what it says. */
  | "fits"
  /** It doesn't. Records of before 2026-11-26 don't either: they have a hash of another kind. */
  | "differs"
  /** It has no hash. */
  | "none"
  /** This page isn't given the means: it wasn't loaded from this machine, nor over https. */
  | "unable";

const HASH = /,"hash":"([0-9a-f]{64})"\}$/;

/** Proves the text of a record, as the journal has it. */
export async function prove(text: string): Promise<Proof> {
  const hash = HASH.exec(text);
  if (!hash) return "none";
  const digest = globalThis.crypto?.subtle;
  if (!digest) return "unable";
  const bytes = new TextEncoder().encode(`${text.slice(0, hash.index)}}`);
  const found = new Uint8Array(await digest.digest("SHA-256", bytes));
  return [...found].map((byte) => byte.toString(16).padStart(2, "0")).join("") === hash[1] ? "fits" : "differs";
}
