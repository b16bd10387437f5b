/**
 * Machines, models and what an engine's steps cost on them.
 *
 * @packageDocumentation
 */
export type { CatalogueMachine, CatalogueModel, EngineKind, Experts, Machine, MachineFamily, Model, Quantisation } from "./types.ts";
export type { Build, Efficiency } from "./efficiency.ts";
export type { EngineLimits, EngineSettings } from "./limits.ts";
export type { ResolvedModel } from "./lookup.ts";
export type { MeasuredSpeeds } from "./measured.ts";
export type { AdvertisedSpeeds } from "./speeds.ts";
export { builds, efficiencies, efficiencyOf } from "./efficiencies.ts";
export { engineDefaults, engineLimits } from "./limits.ts";
export { catalogueMachine, catalogueModel, UnknownNameError } from "./lookup.ts";
export { machines } from "./machines.ts";
export { models } from "./models.ts";
export { advertisedSpeeds } from "./speeds.ts";
export { generateUs, kvBytesPerToken, promptUs, stepCost } from "./step-cost.ts";
