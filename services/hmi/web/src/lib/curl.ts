// Commands to take along. What stands in them may come from an agent: a shell must read it as text, whatever it is.

export interface Request {
  url: string;
  headers?: Record<string, string>;
  /** The body, as it is sent. */
  body?: string;
  /** What the reader must know, put above the command. */
  remarks?: string[];
}

/** Text as one word of a POSIX shell. */
export function quoted(text: string): string {
  // No shell can hand a NUL on.
  return `'${text.replaceAll("\0", "").replaceAll("'", "'\\''")}'`;
}

/** The command that sends it; with -N what comes is shown as it comes. */
export function curl({ url, headers = {}, body, remarks = [] }: Request, { stream = false } = {}): string {
  const above = remarks.map((remark) => `# ${oneLine(remark)}\n`).join("");
  const parts = [`curl -sS${stream ? "N" : ""} ${quoted(url)}`];
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${oneLine(value)}`)}`);
  if (body !== undefined) parts.push(`--data-raw ${quoted(body)}`);
  return above + parts.join(" \\\n  ");
}

/** The command that posts an object as JSON. */
export function curlPost(url: string, body: unknown): string {
  return curl({ url, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** A line that ends only where it ends: neither a remark nor a header may begin another. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, " ");
}
