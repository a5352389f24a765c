// Text that comes from agents is hostile: it may be long, may turn the writing direction, may hold what can't be seen.
// It is only ever put on the screen as text; here it is made fit for a line.

// What changes the direction of writing or can't be seen, and control characters.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** One line of at most `limit` characters, without what can't be seen. */
export function line(text: string, limit = 200): string {
  // No more is looked at than can be shown: texts of megabytes come too.
  const start = text.length > limit * 4 ? text.slice(0, limit * 4) : text;
  const clean = start.replace(UNSEEN, " ");
  const letters = [...clean];
  if (letters.length <= limit && start.length === text.length) return clean;
  return `${letters.slice(0, limit).join("")}…`;
}

/** Whether a line of at most `limit` characters shows all of a text, so that it can be read, and typed, as it is. */
export function isPlain(text: string, limit = 200): boolean {
  return line(text, limit) === text && text === text.trim() && !/[^\S ]|  /.test(text);
}

/** Several lines: new lines and tabs stay. */
export function block(text: string, limit = 20_000): string {
  const start = text.length > limit ? `${text.slice(0, limit)}\n… ${text.length - limit} more` : text;
  return start.replace(UNSEEN, (it) => (it === "\n" || it === "\t" ? it : ""));
}
