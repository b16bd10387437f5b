import type { CatalogueMachine, MachineFamily } from "./types.ts";

const GIB = 2 ** 30;

const ampereGeforce = "NVIDIA Ampere GA102 GPU Architecture whitepaper v2.1, https://www.nvidia.com/content/PDF/nvidia-ampere-ga-102-gpu-architecture-whitepaper-v2.1.pdf";
const adaGeforce = "NVIDIA Ada GPU Architecture whitepaper v2, https://images.nvidia.com/aem-dam/Solutions/geforce/ada/nvidia-ada-gpu-architecture.pdf";
const blackwellRtx = "NVIDIA RTX Blackwell GPU Architecture whitepaper, https://images.nvidia.com/aem-dam/Solutions/geforce/blackwell/nvidia-rtx-blackwell-gpu-architecture.pdf";
const a100 = "NVIDIA A100 Tensor Core GPU datasheet, https://www.nvidia.com/en-us/data-center/a100/";
const h100 = "NVIDIA H100 Tensor Core GPU datasheet, https://www.nvidia.com/en-us/data-center/h100/";
const macStudioWatts = "power: Apple, Mac Studio power consumption, https://support.apple.com/102027";

/** Tensor cores with 16-bit accumulation, without sparsity: what llama.cpp's half-precision matrix products use. */
const tensor16 = "FP16 tensor, FP16 accumulate, dense";
const tensor32 = "FP16 tensor, FP32 accumulate, dense";
const wmma = "FP16 WMMA, dense";
/** Apple publishes no figure for most chips: cores x 128 multiply-add lanes x 2 x clock as measured by third parties (M1 1.278, M1 Max 1.296, M2 and M3 1.398, M4 1.578 GHz). */
const appleGpu = "FP16 on the GPU's ALUs (same rate as FP32): cores x 128 x 2 x clock";
/** 2 FMA units of 8 lanes: 32 FLOP per core and cycle. */
const avx2 = "FP32 AVX2: cores x 32 x sustained clock";

interface Row {
  readonly name: string;
  readonly family: MachineFamily;
  readonly gib: number;
  readonly gbPerS: number;
  readonly tflops: number;
  readonly precision: string;
  readonly watts: readonly [idle: number, load: number];
  readonly usd: readonly [price: number, year: number];
  readonly source: string;
}

/**
 * Memory, bandwidth, arithmetic and load watts are the makers'; idle watts of boards are rounded from published
 * measurements and good to about a third; those of laptops, desktops and servers with a processor alone are typical figures. Prices are the makers' at launch where there was a list price, otherwise
 * what resellers asked in that year. Whole machines: laptops, desktops, mini PCs and Macs; boards: everything else.
 */
const rows: readonly Row[] = [
  // Processors alone: weights in main memory, AVX2 arithmetic.
  { name: "Ryzen 7 5700U laptop DDR4", family: "cpu", gib: 16, gbPerS: 51.2, tflops: 0.768, precision: `${avx2} (8 x 32 x 3.0 GHz)`, watts: [6, 35], usd: [650, 2021], source: "AMD Ryzen 7 5700U specification (DDR4-3200, 2 channels), https://www.amd.com/en/support/downloads/drivers.html/processors/ryzen/ryzen-5000-series/amd-ryzen-7-5700u.html" },
  { name: "Ryzen 7 7840U laptop DDR5", family: "cpu", gib: 32, gbPerS: 89.6, tflops: 0.845, precision: `${avx2} (8 x 32 x 3.3 GHz)`, watts: [6, 45], usd: [1100, 2023], source: "AMD Ryzen 7 7840U specification (DDR5-5600, 2 channels), https://www.amd.com/en/products/processors/laptop/ryzen/7000-series/amd-ryzen-7-7840u.html" },
  { name: "Ryzen 5 5600 desktop DDR4", family: "cpu", gib: 32, gbPerS: 51.2, tflops: 0.672, precision: `${avx2} (6 x 32 x 3.5 GHz)`, watts: [35, 110], usd: [550, 2022], source: "AMD Ryzen 5 5600 specification (DDR4-3200, 2 channels), https://www.amd.com/en/products/processors/desktops/ryzen/5000-series/amd-ryzen-5-5600.html" },
  { name: "Ryzen 9 7950X desktop DDR5", family: "cpu", gib: 64, gbPerS: 83.2, tflops: 2.304, precision: `${avx2} (16 x 32 x 4.5 GHz)`, watts: [55, 260], usd: [1500, 2022], source: "AMD Ryzen 9 7950X specification (DDR5-5200, 2 channels), https://www.amd.com/en/products/processors/desktops/ryzen/7000-series/amd-ryzen-9-7950x.html" },
  { name: "Threadripper PRO 5975WX DDR4", family: "cpu", gib: 256, gbPerS: 204.8, tflops: 3.686, precision: `${avx2} (32 x 32 x 3.6 GHz)`, watts: [100, 400], usd: [6000, 2022], source: "AMD Ryzen Threadripper PRO 5975WX specification (DDR4-3200, 8 channels), https://www.amd.com/en/products/processors/workstations/ryzen-threadripper.html" },
  { name: "EPYC 9654 server DDR5", family: "cpu", gib: 384, gbPerS: 460.8, tflops: 7.373, precision: `${avx2} (96 x 32 x 2.4 GHz)`, watts: [150, 500], usd: [16000, 2023], source: "AMD EPYC 9654 specification (DDR5-4800, 12 channels), https://www.amd.com/en/products/processors/server/epyc/4th-generation-9004-and-8004-series/amd-epyc-9654.html" },

  // AMD graphics; the mini PCs run the model on the integrated GPU, from main memory.
  { name: "Ryzen AI 9 HX 370 mini PC", family: "amd-rdna", gib: 32, gbPerS: 120, tflops: 23.8, precision: `${wmma}: 16 CU x 512 x 2.9 GHz`, watts: [10, 65], usd: [999, 2024], source: "AMD Ryzen AI 9 HX 370 specification (LPDDR5X-7500, 128 bit; Radeon 890M), https://www.amd.com/en/products/processors/laptop/ryzen/ai-300-series/amd-ryzen-ai-9-hx-370.html" },
  { name: "Ryzen AI Max 385 mini PC", family: "amd-rdna", gib: 32, gbPerS: 256, tflops: 45.9, precision: `${wmma}: 32 CU x 512 x 2.8 GHz`, watts: [10, 120], usd: [1099, 2025], source: "AMD Ryzen AI Max 385 specification (LPDDR5X-8000, 256 bit; Radeon 8050S), https://www.amd.com/en/products/processors/laptop/ryzen/ai-300-series/amd-ryzen-ai-max-385.html" },
  { name: "Ryzen AI Max+ 395 mini PC", family: "amd-rdna", gib: 128, gbPerS: 256, tflops: 59.4, precision: `${wmma}: 40 CU x 512 x 2.9 GHz`, watts: [10, 150], usd: [1999, 2025], source: "AMD Ryzen AI Max+ 395 specification (LPDDR5X-8000, 256 bit; Radeon 8060S), https://www.amd.com/en/products/processors/laptop/ryzen/ai-300-series/amd-ryzen-ai-max-plus-395.html" },
  { name: "RX 7900 XTX", family: "amd-rdna", gib: 24, gbPerS: 960, tflops: 122.8, precision: wmma, watts: [20, 355], usd: [999, 2022], source: "AMD Radeon RX 7900 XTX specification, https://www.amd.com/en/products/graphics/desktops/radeon/7000-series/amd-radeon-rx-7900xtx.html" },
  { name: "MI300X", family: "amd-cdna", gib: 192, gbPerS: 5300, tflops: 1307.4, precision: "FP16 matrix, dense", watts: [140, 750], usd: [15000, 2024], source: "AMD Instinct MI300X datasheet, https://www.amd.com/en/products/accelerators/instinct/mi300/mi300x.html" },

  // Apple silicon: unified memory.
  { name: "M1 7-core 8GB", family: "apple", gib: 8, gbPerS: 68.25, tflops: 2.29, precision: appleGpu, watts: [4, 25], usd: [999, 2020], source: "Apple, MacBook Air (M1, 2020) technical specifications, https://support.apple.com/111883; LPDDR4X-4266, 128 bit; watts approximate" },
  { name: "M1 8-core 16GB", family: "apple", gib: 16, gbPerS: 68.25, tflops: 2.617, precision: appleGpu, watts: [7, 39], usd: [899, 2020], source: "Apple, Mac mini (M1, 2020) technical specifications, https://support.apple.com/111894; power: https://support.apple.com/103253" },
  { name: "M1 Max 32-core 64GB", family: "apple", gib: 64, gbPerS: 400, tflops: 10.6, precision: appleGpu, watts: [11, 115], usd: [2399, 2022], source: `Apple, Mac Studio (2022) technical specifications, https://support.apple.com/111900; ${macStudioWatts}` },
  { name: "M2 Ultra 76-core 192GB", family: "apple", gib: 192, gbPerS: 800, tflops: 27.2, precision: appleGpu, watts: [10, 295], usd: [6599, 2023], source: `Apple, Mac Studio (2023) technical specifications, https://support.apple.com/111835; ${macStudioWatts}` },
  { name: "M3 Max 40-core 64GB", family: "apple", gib: 64, gbPerS: 400, tflops: 14.3, precision: appleGpu, watts: [8, 100], usd: [3999, 2023], source: "Apple, MacBook Pro (16-inch, Nov 2023) technical specifications, https://support.apple.com/117737; watts approximate" },
  { name: "M4 Pro 20-core 64GB", family: "apple", gib: 64, gbPerS: 273, tflops: 8.08, precision: appleGpu, watts: [5, 140], usd: [2199, 2024], source: "Apple, Mac mini (2024) technical specifications, https://support.apple.com/121555; power: https://support.apple.com/103253" },
  { name: "M4 Max 40-core 128GB", family: "apple", gib: 128, gbPerS: 546, tflops: 16.2, precision: appleGpu, watts: [10, 145], usd: [3499, 2025], source: "Apple, Mac Studio (2025) technical specifications, https://support.apple.com/122211; watts approximate" },
  { name: "M3 Ultra 80-core 256GB", family: "apple", gib: 256, gbPerS: 819, tflops: 28.6, precision: appleGpu, watts: [10, 270], usd: [7099, 2025], source: "Apple, Mac Studio (2025) technical specifications, https://support.apple.com/122211; watts approximate" },

  // NVIDIA.
  { name: "V100 16GB", family: "nvidia-volta", gib: 16, gbPerS: 900, tflops: 125, precision: tensor32, watts: [40, 300], usd: [700, 2024], source: "NVIDIA Tesla V100 (SXM2) datasheet, https://www.nvidia.com/en-us/data-center/v100/; second-hand price" },
  { name: "RTX 3060 12GB", family: "nvidia-ampere", gib: 12, gbPerS: 360, tflops: 51, precision: tensor16, watts: [13, 170], usd: [329, 2021], source: `${ampereGeforce}; GA106: https://www.nvidia.com/en-us/geforce/graphics-cards/30-series/rtx-3060-3060ti/` },
  { name: "RTX 3070 8GB", family: "nvidia-ampere", gib: 8, gbPerS: 448, tflops: 81.3, precision: tensor16, watts: [13, 220], usd: [499, 2020], source: ampereGeforce },
  { name: "RTX 3080 10GB", family: "nvidia-ampere", gib: 10, gbPerS: 760, tflops: 119, precision: tensor16, watts: [18, 320], usd: [699, 2020], source: ampereGeforce },
  { name: "RTX 3090", family: "nvidia-ampere", gib: 24, gbPerS: 936, tflops: 142, precision: tensor16, watts: [20, 350], usd: [1499, 2020], source: ampereGeforce },
  { name: "RTX A6000", family: "nvidia-ampere", gib: 48, gbPerS: 768, tflops: 154.8, precision: tensor32, watts: [22, 300], usd: [4650, 2020], source: `${ampereGeforce} (appendix A)` },
  { name: "A40", family: "nvidia-ampere", gib: 48, gbPerS: 696, tflops: 149.7, precision: tensor32, watts: [25, 300], usd: [5500, 2021], source: "NVIDIA A40 datasheet, https://www.nvidia.com/en-us/data-center/a40/" },
  { name: "A100 40GB", family: "nvidia-ampere", gib: 40, gbPerS: 1555, tflops: 312, precision: tensor32, watts: [45, 400], usd: [9000, 2022], source: a100 },
  { name: "A100 80GB PCIe", family: "nvidia-ampere", gib: 80, gbPerS: 1935, tflops: 312, precision: tensor32, watts: [45, 300], usd: [15000, 2023], source: a100 },
  { name: "A100 80GB SXM", family: "nvidia-ampere", gib: 80, gbPerS: 2039, tflops: 312, precision: tensor32, watts: [55, 400], usd: [17000, 2023], source: a100 },
  { name: "RTX 4060 Ti 16GB", family: "nvidia-ada", gib: 16, gbPerS: 288, tflops: 88.2, precision: tensor16, watts: [13, 165], usd: [499, 2023], source: `${adaGeforce}; https://www.nvidia.com/en-us/geforce/graphics-cards/40-series/rtx-4060-4060ti/` },
  { name: "RTX 4070 Ti 12GB", family: "nvidia-ada", gib: 12, gbPerS: 504, tflops: 160.4, precision: tensor16, watts: [13, 285], usd: [799, 2023], source: adaGeforce },
  { name: "RTX 4090", family: "nvidia-ada", gib: 24, gbPerS: 1008, tflops: 330.3, precision: tensor16, watts: [20, 450], usd: [1599, 2022], source: adaGeforce },
  { name: "RTX 4000 Ada", family: "nvidia-ada", gib: 20, gbPerS: 360, tflops: 106.9, precision: `${tensor32} (4 x 26.7 TFLOP/s FP32)`, watts: [12, 130], usd: [1250, 2023], source: "NVIDIA RTX 4000 Ada Generation datasheet, https://www.nvidia.com/en-us/products/workstations/rtx-4000/" },
  { name: "RTX 5000 Ada", family: "nvidia-ada", gib: 32, gbPerS: 576, tflops: 261.1, precision: `${tensor32} (1044.4 TFLOP/s FP8 with sparsity / 4)`, watts: [18, 250], usd: [4000, 2023], source: "NVIDIA RTX 5000 Ada Generation datasheet, https://www.nvidia.com/en-us/products/workstations/rtx-5000/" },
  { name: "RTX 6000 Ada", family: "nvidia-ada", gib: 48, gbPerS: 960, tflops: 364.2, precision: `${tensor32} (1457 TFLOP/s FP8 with sparsity / 4)`, watts: [22, 300], usd: [6800, 2022], source: "NVIDIA RTX 6000 Ada Generation datasheet, https://www.nvidia.com/en-us/products/workstations/rtx-6000/" },
  { name: "L40S", family: "nvidia-ada", gib: 48, gbPerS: 864, tflops: 362, precision: tensor32, watts: [30, 350], usd: [7500, 2024], source: "NVIDIA L40S datasheet, https://www.nvidia.com/en-us/data-center/l40s/" },
  { name: "H100 PCIe", family: "nvidia-hopper", gib: 80, gbPerS: 2039, tflops: 756, precision: tensor32, watts: [48, 350], usd: [28000, 2023], source: h100 },
  { name: "H100 NVL", family: "nvidia-hopper", gib: 94, gbPerS: 3900, tflops: 835, precision: tensor32, watts: [60, 400], usd: [29000, 2024], source: h100 },
  { name: "H100 SXM", family: "nvidia-hopper", gib: 80, gbPerS: 3350, tflops: 989.4, precision: tensor32, watts: [70, 700], usd: [30000, 2023], source: h100 },
  { name: "H200", family: "nvidia-hopper", gib: 140.4, gbPerS: 4800, tflops: 989.4, precision: tensor32, watts: [75, 700], usd: [32000, 2024], source: "NVIDIA H200 Tensor Core GPU datasheet, https://www.nvidia.com/en-us/data-center/h200/" },
  { name: "RTX 5090", family: "nvidia-blackwell", gib: 32, gbPerS: 1792, tflops: 419, precision: tensor16, watts: [30, 575], usd: [1999, 2025], source: blackwellRtx },
  { name: "RTX PRO 6000 Blackwell", family: "nvidia-blackwell", gib: 96, gbPerS: 1792, tflops: 503.8, precision: `${tensor32} (4 x 126 TFLOP/s FP32)`, watts: [30, 600], usd: [8565, 2025], source: "NVIDIA RTX PRO 6000 Blackwell Workstation Edition datasheet, https://www.nvidia.com/en-us/products/workstations/professional-desktop-gpus/rtx-pro-6000/" },
  { name: "B200", family: "nvidia-blackwell", gib: 179, gbPerS: 8000, tflops: 2250, precision: tensor32, watts: [140, 1000], usd: [40000, 2025], source: "NVIDIA HGX B200 specification, https://www.nvidia.com/en-us/data-center/hgx/" },
  { name: "DGX Spark", family: "nvidia-blackwell", gib: 128, gbPerS: 273, tflops: 125, precision: `${tensor32} (1 PFLOP/s FP4 with sparsity / 8)`, watts: [35, 200], usd: [3999, 2025], source: "NVIDIA DGX Spark datasheet, https://www.nvidia.com/en-us/products/workstations/dgx-spark/" },
];

/** Laptops, desktops, mini PCs and Macs: one memory for everything, watts at the wall. */
function isWholeMachine(row: Row): boolean {
  return row.family === "cpu" || row.family === "apple" || row.name.endsWith("mini PC") || row.name === "DGX Spark";
}

/** Every machine of the catalogue; names are unique. */
export const machines: readonly CatalogueMachine[] = rows.map((row) => ({
  name: row.name,
  family: row.family,
  memoryBytes: Math.round(row.gib * GIB),
  bandwidthBytesPerS: row.gbPerS * 1e9,
  flopPerS: row.tflops * 1e12,
  ...(row.precision === tensor16 ? { flopPerSWideSums: row.tflops * 1e12 / 2 } : {}),
  sharedMemory: isWholeMachine(row),
  flopPrecision: row.precision,
  idleWatts: row.watts[0],
  loadWatts: row.watts[1],
  wattsScope: isWholeMachine(row) ? "machine" : "board",
  priceUsd: row.usd[0],
  priceYear: row.usd[1],
  source: row.source,
}));
