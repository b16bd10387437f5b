/** What renters pay for a machine on a marketplace. */
export interface RentalPrice {
  /** Name in the machine catalogue. */
  readonly machine: string;
  readonly usdPerHour: number;
}

/** Where the table below comes from. */
export const rentalSource = "lowest listing of a marketplace (vast.ai) per GPU-hour, from skypilot-org/skypilot-catalog v8, 2026";

/**
 * Marketplace rents per GPU-hour, USD: what renters pay, before the marketplace's part and without hours in which nobody rents.
 * Machines of the catalogue that were listed; for others none is known.
 */
export const rentalPrices: readonly RentalPrice[] = [
  { machine: "RTX 3060 12GB", usdPerHour: 0.27 },
  { machine: "RTX 3070 8GB", usdPerHour: 0.48 },
  { machine: "RTX 3080 10GB", usdPerHour: 0.0925 },
  { machine: "RTX 3090", usdPerHour: 0.165 },
  { machine: "RTX 4060 Ti 16GB", usdPerHour: 0.13 },
  { machine: "RTX 4090", usdPerHour: 0.4 },
  { machine: "RTX 5090", usdPerHour: 0.48 },
  { machine: "RTX A6000", usdPerHour: 0.425 },
  { machine: "RTX 6000 Ada", usdPerHour: 0.37 },
  { machine: "RTX PRO 6000 Blackwell", usdPerHour: 1.13 },
  { machine: "A40", usdPerHour: 0.67 },
  { machine: "L40S", usdPerHour: 0.6 },
  { machine: "V100 16GB", usdPerHour: 0.106 },
  { machine: "A100 40GB", usdPerHour: 0.76 },
  { machine: "A100 80GB PCIe", usdPerHour: 0.87 },
  { machine: "H100 NVL", usdPerHour: 2.08 },
  { machine: "H100 SXM", usdPerHour: 1.87 },
  { machine: "H200", usdPerHour: 2.65 },
  { machine: "B200", usdPerHour: 4.705 },
];

/** The rent of a machine of the catalogue, USD per hour; null where none is known. */
export function rentalUsdPerHour(machine: string): number | null {
  return rentalPrices.find((row) => row.machine === machine)?.usdPerHour ?? null;
}
