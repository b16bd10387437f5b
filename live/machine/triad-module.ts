/**
 * A WebAssembly module with one function, `triad(a, b, c, end, s)`: for doubles from addresses a, b and c on, until a reaches
 * `end`, a[i] = b[i] + s * c[i]. JavaScript would compute it one double at a time, slower than memory can deliver; this takes
 * two at a time (SIMD), four times in a row. `end - a` is a multiple of 64 bytes, at least 64.
 */
export const triadModule: Uint8Array<ArrayBuffer> = assemble();

function assemble(): Uint8Array<ArrayBuffer> {
  const [I32, F64, V128] = [0x7f, 0x7c, 0x7b];
  const get = (local: number): number[] => [0x20, local];
  const set = (local: number): number[] => [0x21, local];
  const simd = (opcode: number, ...immediates: number[]): number[] => [0xfd, ...unsigned(opcode), ...immediates];
  const [LOAD, STORE, SPLAT, ADD, MUL] = [0x00, 0x0b, 0x14, 0xf0, 0xf2];
  const step = (offset: number): number[] => [
    ...get(0), ...get(1), ...simd(LOAD, 4, offset), ...get(5), ...get(2), ...simd(LOAD, 4, offset), ...simd(MUL), ...simd(ADD), ...simd(STORE, 4, offset),
  ];
  const advance = (local: number): number[] => [...get(local), 0x41, 0xc0, 0x00, 0x6a, ...set(local)];
  const code = [
    1, 1, V128,
    ...get(4), ...simd(SPLAT), ...set(5),
    0x03, 0x40, ...[0, 16, 32, 48].flatMap(step), ...[0, 1, 2].flatMap(advance), ...get(0), ...get(3), 0x49, 0x0d, 0, 0x0b,
    0x0b,
  ];
  const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
  const text = (name: string): number[] => [name.length, ...[...name].map((letter) => letter.charCodeAt(0))];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, F64, 0]),
    ...section(2, [1, ...text("m"), ...text("memory"), 0x02, 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text("triad"), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = rest & 0x7f;
    rest >>>= 7;
    if (rest === 0) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
