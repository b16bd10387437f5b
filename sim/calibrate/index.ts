/**
 * Coefficients of engines, fitted to measurements: of one machine and model. The shares of the hardware catalogue, which hold for
 * many, are fitted in `world/catalogue/calibration`.
 *
 * @packageDocumentation
 */
export { calibrateProfile, knownModel, profileFacts, profileWithFit } from "./calibrate-profile.ts";
export { type ModelFacts, modelFacts } from "./facts.ts";
export { type FitOptions, fitPoints, type KindErrors, type PointFit, predictMixedUs, predictUs, relativeError } from "./fit-points.ts";
export { fitRequests, type RequestFit, type RequestFitOptions, type RequestForm } from "./fit-requests.ts";
export type { PointForm } from "./forms.ts";
export type { Measurements } from "./points.ts";
export { type MeanErrors, meanErrors, replay, type Served, timesOf } from "../world/engine/replay/replay.ts";
export { readRequestLog, type RequestLog, type TimedRequest } from "../world/engine/replay/requests.ts";
export { requestsProfile, type RequestServer } from "./requests-profile.ts";
export { percent, type Verdict } from "./verdict.ts";
