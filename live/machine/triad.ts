import { triadModule } from "./triad-module.ts";

/** The part of WebAssembly that is used here; its types come with browsers' alone. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** Bytes that STREAM counts for each double: two read, one written. */
export const TRIAD_BYTES = 24;

/** Three arrays of doubles, and the kernel over them: a[i] = b[i] + s * c[i]. */
export interface Triad {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  run(s: number): void;
}

/** @param elements of each array, a multiple of 8; three arrays fit into 4 GiB. */
export function triad(elements: number): Triad {
  const bytes = elements * 8;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(3 * bytes / 65_536) });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(triadModule), { m: { memory } });
  const kernel = instance.exports["triad"] as (a: number, b: number, c: number, end: number, s: number) => void;
  const array = (i: number): Float64Array => new Float64Array(memory.buffer, i * bytes, elements);
  const [a, b, c] = [array(0), array(1), array(2)];
  // Pages that were never written are one page of zeros, which the caches hold.
  a.fill(1);
  b.fill(2);
  c.fill(3);
  return { a, b, c, run: (s) => kernel(0, bytes, 2 * bytes, bytes, s) };
}
