export { BatchMeans } from "./batch-means.ts";
export { confidenceInterval } from "./confidence.ts";
export type { Interval } from "./confidence.ts";
export { Moments } from "./moments.ts";
export { QuantileSketch } from "./quantile-sketch.ts";
export type { Bucket } from "./quantile-sketch.ts";
export { studentQuantile } from "./student.ts";
export { TimeWeighted } from "./time-weighted.ts";
