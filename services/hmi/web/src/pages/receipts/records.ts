// The records of a page, each as the journal has it, byte for byte: what is exported can be proved by its hash.

export interface Records {
  records: string[];
  next_cursor: string | null;
}

/** Takes the text of a page `{"receipts":[{…},{…}],"next_cursor":…}` apart. It is known to be JSON. */
export function recordsOf(page: string): Records {
  const records: string[] = [];
  const list = { from: 0, to: 0 };
  let depth = 0;
  let begun = 0;
  for (let at = 0; at < page.length; at += 1) {
    const letter = page[at];
    if (letter === '"') {
      at = endOfString(page, at);
    } else if (letter === "{" || letter === "[") {
      depth += 1;
      // The list of receipts is two levels down, a record three.
      if (depth === 2) list.from = at;
      if (depth === 3) begun = at;
    } else if (letter === "}" || letter === "]") {
      if (depth === 3) records.push(page.slice(begun, at + 1));
      if (depth === 2) list.to = at + 1;
      depth -= 1;
    }
  }
  const around = `${page.slice(0, list.from)}[]${page.slice(list.to)}`;
  return { records, next_cursor: (JSON.parse(around) as { next_cursor: string | null }).next_cursor };
}

/** The place of the quote that ends the string that begins at `at`. */
function endOfString(page: string, at: number): number {
  for (let end = page.indexOf('"', at + 1); end >= 0; end = page.indexOf('"', end + 1)) {
    let slashes = 0;
    while (page[end - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return page.length;
}
