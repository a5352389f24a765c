/** Hands a file to the browser, to be saved. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser takes it over after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name for a file of now: `pas-receipts-2026-11-26T10-00-00.csv`. */
export function fileName(what: string, ending: string, now = new Date()): string {
  return `pas-${what}-${now.toISOString().slice(0, 19).replaceAll(":", "-")}.${ending}`;
}
