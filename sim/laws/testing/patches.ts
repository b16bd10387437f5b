/** Puts things back as they were. */
export type Restore = () => void;

/**
 * Replaces a method of an object or a prototype: to watch it, or to plant a fault.
 * @param wrap gets the original; call it with the same `this`.
 */
export function patch<T extends object, K extends keyof T>(target: T, name: K, wrap: (original: T[K]) => T[K]): Restore {
  const before = Object.getOwnPropertyDescriptor(target, name);
  if (before === undefined) throw new Error(`${String(name)} is not the target's own`);
  const after = before.get === undefined
    ? { ...before, value: wrap(before.value as T[K]) }
    : { ...before, get: wrap(before.get as T[K]) as () => unknown };
  Object.defineProperty(target, name, after);
  return () => void Object.defineProperty(target, name, before);
}

/** A fault, planted until it is taken out again. */
export type Fault = () => Restore;

/** Calls something with patches in place, and takes them out whatever happens. */
export function withPatches<T>(faults: readonly Fault[], call: () => T): T {
  const restores: Restore[] = [];
  try {
    for (const fault of faults) restores.push(fault());
    return call();
  } finally {
    for (const restore of restores.reverse()) restore();
  }
}
