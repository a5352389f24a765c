// Server-sent events, read as they come: in pieces that may end anywhere, also in the middle of a letter.

export interface SseEvent {
  /** Its name, where it has one. */
  event?: string;
  data: string;
}

export class SseReader {
  private decoder = new TextDecoder();
  /** What came of a line that isn't over. */
  private rest = "";
  /** Whether the last line ended with a CR, which an LF may belong to. */
  private afterCr = false;
  private isFirst = true;
  private data: string[] = [];
  private name: string | undefined;

  /** Takes what came; answers the events that are whole by it. */
  take(bytes: Uint8Array): SseEvent[] {
    return this.read(this.decoder.decode(bytes, { stream: true }));
  }

  /** Nothing more comes. What isn't a whole event is none: it was cut off. */
  end(): { events: SseEvent[]; leftover: boolean } {
    const events = this.read(this.decoder.decode());
    return { events, leftover: this.rest !== "" || this.data.length > 0 || this.name !== undefined };
  }

  private read(text: string): SseEvent[] {
    let fresh = text;
    if (this.afterCr && fresh.startsWith("\n")) fresh = fresh.slice(1);
    if (text !== "") this.afterCr = fresh === "" ? false : fresh.endsWith("\r");
    const events: SseEvent[] = [];
    const lines = fresh.split(/\r\n|\r|\n/);
    lines[0] = this.rest + (lines[0] ?? "");
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.line(line);
      if (event) events.push(event);
    }
    return events;
  }

  private line(line: string): SseEvent | undefined {
    const text = this.isFirst && line.startsWith("\ufeff") ? line.slice(1) : line;
    this.isFirst = false;
    if (text === "") return this.dispatch();
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.name = value;
    return undefined;
  }

  private dispatch(): SseEvent | undefined {
    const { data, name } = this;
    this.data = [];
    this.name = undefined;
    return data.length === 0 ? undefined : { event: name || undefined, data: data.join("\n") };
  }
}
