/**
 * Memory for bytes that will be zeroed. A `Buffer.alloc` of up to 64 bytes is on the heap of V8, which copies it during
 * garbage collection, or when a part of it is taken, and zeroes no copy. The memory of an ArrayBuffer never moves.
 */
export const zeroableBytes = (length: number): Buffer => Buffer.from(new ArrayBuffer(length));

/** Memory for code points that will be zeroed, which a browser has, too. */
export const zeroablePoints = (length: number): Uint32Array =>
  new Uint32Array(new ArrayBuffer(4 * length));
