import { builds, efficiencyOf } from "../efficiencies.ts";
import type { CalibrationData } from "./data.ts";
import { fitLlamaCpp, type LlamaCppFit } from "./fit.ts";
import { singles } from "./measurements.ts";
import { fitVllm, type VllmFit } from "./replay.ts";
import { fitSplitwiseCompute } from "./splitwise.ts";

/** KV tokens of a replay whose server did not report them: more than its load ever needs. */
export const amplyKvTokens = 500_000;

/** Every fitted figure of `efficiencies.ts`, by the build it belongs to. */
export interface Calibration {
  readonly cuda2024: LlamaCppFit;
  readonly metal2024: LlamaCppFit;
  readonly flash2025: LlamaCppFit;
  readonly hip2026: LlamaCppFit;
  readonly cpu2024: LlamaCppFit;
  readonly vllm019: VllmFit;
  /** Compute efficiency of vLLM on data-centre cards. */
  readonly splitwise: { readonly ampere: number; readonly hopper: number };
}

/** Fits everything anew from the measurements. */
export function calibrate(data: CalibrationData): Calibration {
  const cuda2024 = fitLlamaCpp(data.table.filter(({ machine }) => machine.family !== "apple"));
  const bandwidth = (0.92 + 0.791) / 2;
  const splitwise = (machine: string): number =>
    fitSplitwiseCompute(data.splitwise.filter((row) => row.machine.name === machine), { ...efficiencyOf("vllm", "nvidia-hopper"), bandwidth });
  return {
    cuda2024,
    // Three machines cannot tell time per layer from bandwidth.
    metal2024: fitLlamaCpp(data.table.filter(({ machine }) => machine.family === "apple"), { layerUs: builds.cuda2024.layerUs }),
    flash2025: fitLlamaCpp([...data.batched, ...singles.filter(({ machine }) => machine.family === "nvidia-blackwell")]),
    hip2026: fitLlamaCpp(singles.filter(({ machine }) => machine.family === "amd-rdna")),
    // The Threadripper ran 8 of its 32 threads: shown beside, not fitted.
    cpu2024: fitLlamaCpp(singles.filter(({ machine }) => machine.name === "Ryzen 9 7950X desktop DDR5"), builds.cpu2024),
    vllm019: fitVllm(data.replays, builds.vllm019, amplyKvTokens),
    splitwise: { ampere: splitwise("A100 80GB SXM"), hopper: splitwise("H100 SXM") },
  };
}
