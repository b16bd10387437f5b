import type { DistributionSummary, Histogram } from "../../../protocol/result.ts";
const G = Math.log(1.01);
const N = 4096;
const OFF = 600;
/** A sample in bounded memory: exact moments, and log-spaced counts for quantiles. */
export class Sample {
  count = 0; #sum = 0; #sq = 0; #min = Infinity; #max = -Infinity; #zero = 0;
  readonly #b = new Float64Array(N);
  add(x: number): void { this.count++; this.#sum += x; this.#sq += x * x; if (x < this.#min) this.#min = x; if (x > this.#max) this.#max = x; if (x <= 0) this.#zero++; else this.#b[Math.max(0, Math.floor(Math.log(x) / G) + OFF)]!++; }
  merge(o: Sample): void { this.count += o.count; this.#sum += o.#sum; this.#sq += o.#sq; this.#min = Math.min(this.#min, o.#min); this.#max = Math.max(this.#max, o.#max); this.#zero += o.#zero; for (let i = 0; i < N; i++) this.#b[i]! += o.#b[i]!; }
  quantile(p: number): number { let r = p * this.count - this.#zero; if (r <= 0) return 0; for (let i = 0; i < N; i++) { r -= this.#b[i]!; if (r <= 0) return Math.min(this.#max, Math.exp((i - OFF + 0.5) * G)); } return this.#max; }
  summary(): DistributionSummary {
    if (this.count === 0) return { count: 0, mean: null, sd: null, min: null, p50: null, p90: null, p95: null, p99: null, max: null };
    const mean = this.#sum / this.count;
    return { count: this.count, mean, sd: this.count > 1 ? Math.sqrt(Math.max(0, (this.#sq - this.#sum * mean) / (this.count - 1))) : null, min: this.#min, p50: this.quantile(0.5), p90: this.quantile(0.9), p95: this.quantile(0.95), p99: this.quantile(0.99), max: this.#max };
  }
  histogram(): Histogram {
    const edges: number[] = []; const counts: number[] = [];
    let first = -1, last = -1; for (let i = 0; i < N; i++) if (this.#b[i]! > 0) { if (first < 0) first = i; last = i; }
    if (first < 0) return { edges, counts };
    first -= first % 10; for (let i = first; i <= last; i += 10) { edges.push(Math.exp((i - OFF) * G)); let c = 0; for (let j = i; j < i + 10; j++) c += this.#b[j]!; counts.push(c); }
    edges.push(Math.exp((last - (last % 10) + 10 - OFF) * G));
    return { edges, counts };
  }
}
