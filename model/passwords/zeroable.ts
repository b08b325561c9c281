/**
 * Memory for bytes that will be zeroed. A `Buffer.alloc` of up to 64 bytes is on the heap of V8, which copies it during
 * garbage collection, or when a part of it is taken, and zeroes no copy. The memory of an ArrayBuffer never moves.
 */
export const zeroableBytes = (length: number): Buffer => Buffer.from(new ArrayBuffer(length));
