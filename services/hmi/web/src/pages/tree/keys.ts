// Keys of nodes as one text for the URL. Pure.

export const encodeKeys = (keys: Iterable<string>): string => [...keys].map(encodeURIComponent).join(",");

export function decodeKeys(text: string): string[] {
  return text.split(",").flatMap((it) => {
    try {
      return it === "" ? [] : decodeURIComponent(it);
    } catch {
      return [];
    }
  });
}
