const slabBytes = 64 * 2 ** 20;

/** Copies of pages in ordinary memory, least recently used first out. Memory is taken as it fills, at most `bytes`. */
export class HostTier {
  readonly capacity: number; // pages
  private readonly slotsPerSlab: number;
  private readonly slabs: Uint8Array[] = [];
  private readonly free: number[] = [];
  private used = 0; // slots that have been given out at least once
  private readonly slots = new Map<string, number>(); // in order of use

  /** `onEvict` sees a page before its slot is written again. */
  constructor(
    bytes: number,
    private readonly pageBytes: number,
    private readonly onEvict: (key: string, bytes: Uint8Array) => void,
  ) {
    this.capacity = Math.floor(bytes / pageBytes);
    this.slotsPerSlab = Math.max(1, Math.floor(slabBytes / pageBytes));
  }

  get size(): number {
    return this.slots.size;
  }

  has(key: string): boolean {
    return this.slots.has(key);
  }

  /** The page's bytes, good until the next `put`; it becomes the most recently used. */
  get(key: string): Uint8Array | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) return undefined;
    this.slots.delete(key);
    this.slots.set(key, slot);
    return this.view(slot);
  }

  /** Room for a new page, which the caller fills. The tier must have a capacity, and no page of this key. */
  put(key: string): Uint8Array {
    const slot = this.takeSlot();
    this.slots.set(key, slot);
    return this.view(slot);
  }

  delete(key: string): void {
    const slot = this.slots.get(key);
    if (slot === undefined) return;
    this.slots.delete(key);
    this.free.push(slot);
  }

  /** The least recently used first. */
  keys(): string[] {
    return Array.from(this.slots.keys());
  }

  private takeSlot(): number {
    const slot = this.free.pop();
    if (slot !== undefined) return slot;
    if (this.used < this.capacity) return this.used++;
    const [key, oldest] = this.slots.entries().next().value!;
    this.onEvict(key, this.view(oldest));
    this.slots.delete(key);
    return oldest;
  }

  private view(slot: number): Uint8Array {
    const slab = Math.floor(slot / this.slotsPerSlab);
    const slots = Math.min(this.slotsPerSlab, this.capacity - slab * this.slotsPerSlab);
    const memory = this.slabs[slab] ?? new Uint8Array(slots * this.pageBytes);
    this.slabs[slab] = memory;
    const at = (slot % this.slotsPerSlab) * this.pageBytes;
    return memory.subarray(at, at + this.pageBytes);
  }
}
