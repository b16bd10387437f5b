/** A point of a demand or supply curve, as in the report. */
export interface CurvePoint {
  readonly perMtokMsat: number;
  readonly mtokPerH: number;
}

/** Points of a reported curve at most. */
const POINTS = 200;
/** Bits of a single-precision float that name its bucket: sign, exponent and 6 bits of the fraction. */
const SHIFT = 17;
const BUCKETS = 1 << 14;

/**
 * Quantities by value per million tokens, in buckets 1.6 % wide: bounded memory, no allocation per job. The reported
 * value is the bucket's lower bound, so that a curve never promises more than clients would pay.
 */
export class DemandCurve {
  readonly #tokens = new Float64Array(BUCKETS);
  readonly #single = new Float32Array(1);
  readonly #bits = new Uint32Array(this.#single.buffer);

  /** @param perMtokMsat not negative. */
  add(perMtokMsat: number, tokens: number): void {
    this.#single[0] = perMtokMsat;
    this.#tokens[this.#bits[0]! >>> SHIFT]! += tokens;
  }

  /** From the dearest on, how much is worth at least so much. @param hours over which the quantities were asked for. */
  points(hours: number): CurvePoint[] {
    const points: CurvePoint[] = [];
    let tokens = 0;
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      if (this.#tokens[bucket] === 0) continue;
      tokens += this.#tokens[bucket]!;
      this.#bits[0] = bucket << SHIFT;
      points.push({ perMtokMsat: this.#single[0]!, mtokPerH: tokens / 1e6 / hours });
    }
    return thinned(points);
  }
}

/** A step curve of offers, cheapest first: each point has what can be had at its price or less. */
export function supplyCurve(offers: readonly CurvePoint[]): CurvePoint[] {
  const points: { perMtokMsat: number; mtokPerH: number }[] = [];
  let mtokPerH = 0;
  for (const offer of offers.toSorted((a, b) => a.perMtokMsat - b.perMtokMsat)) {
    mtokPerH += offer.mtokPerH;
    const last = points.at(-1);
    if (last !== undefined && last.perMtokMsat === offer.perMtokMsat) last.mtokPerH = mtokPerH;
    else points.push({ perMtokMsat: offer.perMtokMsat, mtokPerH });
  }
  return thinned(points);
}

/** The first and the last stay, and of the others those that move the curve by the most even steps of quantity. */
function thinned(points: readonly CurvePoint[]): CurvePoint[] {
  if (points.length <= POINTS) return [...points];
  const step = points.at(-1)!.mtokPerH / (POINTS - 2);
  const kept: CurvePoint[] = [points[0]!];
  for (const point of points.slice(1, -1)) if (point.mtokPerH - kept.at(-1)!.mtokPerH >= step) kept.push(point);
  kept.push(points.at(-1)!);
  return kept;
}
