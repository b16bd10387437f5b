type Numbers = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/**
 * The same numbers in a longer array of the same kind, zeros behind them: for tables that grow.
 * @param length of the result, not less than the array has; twice that by default.
 * @throws RangeError where the numbers do not fit.
 */
export function widened<A extends Numbers>(array: A, length = 2 * array.length): A {
  const result = new (array.constructor as new (length: number) => A)(length);
  result.set(array);
  return result;
}
