// What is found in the palette.

/** How well a text fits what is looked for: its beginning before the beginning of a word before anywhere. */
export function fit(text: string, wanted: string): number {
  const [a, b] = [text.toLowerCase(), wanted.toLowerCase()];
  const at = a.indexOf(b);
  if (at < 0) return 0;
  if (at === 0) return 3;
  return /[\s\-_.:/]/.test(a[at - 1] ?? "") ? 2 : 1;
}
