/**
 * Memory for bytes that will be zeroed. `Buffer.alloc` of up to 64 bytes lies on the heap of V8, which copies it
 * when it collects garbage, or when somebody takes a part of it, and zeroes no copy. An ArrayBuffer stays where it
 * is.
 */
export const zeroableBytes = (length: number): Buffer => Buffer.from(new ArrayBuffer(length));
