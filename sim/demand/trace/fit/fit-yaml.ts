import type { DistributionSpec } from "../../../kernel/distributions/index.ts";
import type { DrawnArrivals } from "../../open-demand.ts";
import type { LengthFit } from "./fit-lengths.ts";
import type { LengthError, Measured, TraceFit } from "./fit-trace.ts";

/**
 * A scenario's `clients` section, with the fit's errors as comments.
 *
 * @param name of the client class
 */
export function fitYaml(fit: TraceFit, name: string): string {
  const { arrivals, input, output, trace } = fit;
  const lines = [
    "clients:",
    `  - name: ${name}`,
    "    model: llama-3.1-8b:q4_k_m # the trace does not say: choose",
    `    # Errors are those of ${fit.drawn} jobs drawn from the fit (seed 1), against the ${trace.rows} of the trace.`,
  ];
  if (arrivals === null) {
    lines.push("    # The trace has no usable times: choose the arrivals yourself.", "    arrivals: { poisson: { rate: 1/s } }");
  } else {
    const { error } = arrivals;
    lines.push(
      `    # Arrivals: ${arrivals.because}.`,
      `    # Rate ${compared(error.ratePerS, 3)} per s; CV of the gaps ${compared(error.gapCv, 3)};`,
      `    # variance over mean of the counts per minute ${compared(error.dispersionPerMinute, 3)}; busiest minute ${compared(error.peakPerMinute, 4)}.`,
      ...arrivalLines(arrivals.spec),
    );
  }
  lines.push(...lengthLines("inputTokens", input), ...lengthLines("outputTokens", output));
  const correlation = `${number(trace.pearson, 2)} (by ranks ${number(trace.spearman, 2)})`;
  lines.push(`    # Input and output are drawn independently; in the trace their correlation is ${correlation}.`);
  lines.push(`    maxOutputTokens: ${Math.max(1, trace.output.max)}`);
  return `${lines.join("\n")}\n`;
}

function lengthLines(key: string, fit: LengthFit & { readonly error: LengthError; readonly others: readonly LengthFit[] }): string[] {
  const { error } = fit;
  const nearest = fit.others[0];
  const others = nearest === undefined ? "" : `; next best ${nearest.family}, KS ${nearest.distance.toFixed(3)}`;
  return [
    `    # ${key}: ${fit.family}, KS ${error.distance.toFixed(3)}${others}.`,
    `    # Mean ${compared(error.mean, 4)}; CV ${compared(error.cv, 3)}; p50 ${compared(error.p50, 5)}; p95 ${compared(error.p95, 5)}; p99 ${compared(error.p99, 5)}.`,
    ...distributionLines(key, fit.spec),
  ];
}

function distributionLines(key: string, spec: DistributionSpec): string[] {
  if (typeof spec === "number") return [`    ${key}: ${spec}`];
  if ("quantiles" in spec) {
    return [`    ${key}:`, "      quantiles:", ...rows(spec.quantiles.map(([p, x]) => `[${p}, ${x}]`))];
  }
  const [family, parameters] = Object.entries(spec)[0]!;
  const inside = typeof parameters === "object" ? `{ ${Object.entries(parameters).map(([name, value]) => `${name}: ${String(value)}`).join(", ")} }` : String(parameters);
  return [`    ${key}: { ${family}: ${inside} }`];
}

function arrivalLines(spec: DrawnArrivals): string[] {
  switch (spec.kind) {
    case "regular":
    case "poisson":
      return [`    arrivals: { ${spec.kind}: { rate: ${spec.ratePerS}/s } }`];
    case "gamma":
    case "weibull":
      return [`    arrivals: { ${spec.kind}: { rate: ${spec.ratePerS}/s, cv: ${spec.cv} } }`];
    case "mmpp":
      return ["    arrivals:", "      mmpp:", "        states:", ...spec.states.map((state) => `          - { rate: ${state.ratePerS}/s, lasts: ${duration(state.meanUs)} }`)];
    case "varying":
      return [
        "    arrivals:", "      varying:",
        ...(spec.periodUs === null ? [] : [`        period: ${duration(spec.periodUs)}`]),
        "        points:", ...rows(spec.points.map((point) => `[${duration(point.atUs)}, ${point.ratePerS}/s]`), "          "),
      ];
  }
}

/** A flow sequence of these items, several on a line. */
function rows(items: readonly string[], indent = "        "): string[] {
  const lines: string[] = [];
  let line = `${indent}[`;
  for (const [index, item] of items.entries()) {
    const piece = index === items.length - 1 ? `${item}]` : `${item},`;
    if (line.length + piece.length > 116) {
      lines.push(line.trimEnd());
      line = `${indent} `;
    }
    line += line.endsWith("[") || line.trim() === "" ? piece : ` ${piece}`;
  }
  return [...lines, line];
}

/** In the largest unit that needs no fraction. */
function duration(us: number): string {
  for (const [name, unitUs] of [["h", 3_600_000_000], ["min", 60_000_000], ["s", 1_000_000], ["ms", 1_000]] as const) {
    if (us >= unitUs && us % unitUs === 0) return `${us / unitUs}${name}`;
  }
  return `${us}us`;
}

/** "1154.7 (+0.3 %)": the trace's figure and how far the fit's is from it. */
function compared(measured: Measured, digits: number): string {
  const off = (measured.fit / measured.trace - 1) * 100;
  return `${number(measured.trace, digits)} (${off >= 0 ? "+" : "-"}${Math.abs(off).toFixed(1)} %)`;
}

function number(value: number, digits: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "unknown";
}
