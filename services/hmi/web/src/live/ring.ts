/** The newest of something, the newest first; the oldest fall off. */
export class Ring<T> {
  private items: T[] = [];

  constructor(private readonly limit: number) {}

  push(item: T): void {
    this.items.push(item);
    // Taken off in bulk, so that each costs nothing.
    if (this.items.length >= this.limit * 2) this.items = this.items.slice(-this.limit);
  }

  clear(): void {
    this.items = [];
  }

  newest(limit = this.limit): T[] {
    return this.items.slice(Math.max(0, this.items.length - Math.min(limit, this.limit))).reverse();
  }
}
