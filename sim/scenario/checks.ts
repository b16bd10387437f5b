import type { DistributionSpec } from "../kernel/distributions/index.ts";
import type { Catalogue } from "./catalogue.ts";
import type { PathPart } from "../../input/path-part.ts";
import { formatDurationUs } from "../../protocol/format.ts";
import { nearest } from "../../input/nearest.ts";
import { quoted } from "../../input/problem.ts";
import type { Finding } from "../../input/problem.ts";
import { foreverUs } from "./scenario.ts";
import type { ClientSpec, OperatorSpec, ProfileSpec, Scenario } from "./scenario.ts";
import { profileLimits } from "./engine-plan.ts";
import { checkHosts } from "./sections/hosts.ts";
import { alternatives } from "../../input/units.ts";

/** What a resolved scenario contradicts itself in. */
export function checkScenario(scenario: Scenario, catalogue: Catalogue): Finding[] {
  return [
    ...times(scenario),
    ...uniqueNames(scenario.operators, "operators"),
    ...uniqueNames(scenario.clients, "clients"),
    ...uniqueNames(scenario.hosts ?? [], "hosts"),
    ...checkHosts(scenario.hosts ?? [], scenario.operators),
    ...pairs(scenario),
    ...weights(scenario),
    ...scenario.operators.flatMap((operator, i) => checkOperator(operator, ["operators", i], catalogue)),
    ...scenario.clients.flatMap((client, i) => checkClient(client, ["clients", i], scenario.operators, catalogue)),
  ];
}

function times({ horizonUs, warmupUs, router, payment }: Scenario): Finding[] {
  const findings: Finding[] = [];
  if (warmupUs >= horizonUs) findings.push({ path: ["warmup"], found: `${formatDurationUs(warmupUs)}`, allowed: `less than the horizon, ${formatDurationUs(horizonUs)}` });
  if (router.staleAfterUs < router.heartbeatUs) findings.push({ path: ["router", "staleAfter"], found: `${formatDurationUs(router.staleAfterUs)}`, allowed: `at least the heartbeat's interval, ${formatDurationUs(router.heartbeatUs)}` });
  if (router.circuitBreaker.maxCoolDownUs < router.circuitBreaker.coolDownUs) findings.push({ path: ["router", "circuitBreaker", "maxCoolDown"], found: `${formatDurationUs(router.circuitBreaker.maxCoolDownUs)}`, allowed: `at least the first cool-down, ${formatDurationUs(router.circuitBreaker.coolDownUs)}` });
  const lastPauseUs = payment.retryUs * 2 ** Math.max(0, payment.attempts - 2);
  if (lastPauseUs > foreverUs) findings.push({ path: ["payment", "retryPause"], found: `${formatDurationUs(payment.retryUs)}, which grows beyond a century before attempt ${payment.attempts}`, allowed: "a shorter pause, or fewer attempts" });
  return findings;
}

function uniqueNames(classes: readonly { readonly name: string }[], list: string): Finding[] {
  return classes.flatMap(({ name }, i) => classes.findIndex((other) => other.name === name) < i
    ? [{ path: [list, i, "name"], found: `a second ${quoted(name)}`, allowed: `a name that no other of the ${list} has` }] : []);
}

function pairs({ network, router, operators, clients }: Scenario): Finding[] {
  const regions = [...new Set([router.region, ...[...operators, ...clients].flatMap((one) => one.regions.map(({ region }) => region))])].sort();
  const seen = new Set<string>();
  return network.between.flatMap(({ a, b }) => {
    const path = ["network", "between", `${a}/${b}`];
    if (a === b) return [{ path, found: `${quoted(`${a}/${b}`)}, one region twice`, allowed: "two regions; `sameRegion` is the delay inside one", atKey: true }];
    if (seen.has(`${a}/${b}`)) return [{ path, found: `${quoted(`${a}/${b}`)} after ${quoted(`${b}/${a}`)}`, allowed: "each pair once: delays are the same in both directions", atKey: true }];
    seen.add(`${a}/${b}`).add(`${b}/${a}`);
    return [a, b].filter((region) => !regions.includes(region)).map((region) => {
      const guess = nearest(region, regions);
      return { path, found: `the region ${quoted(region)}, where nobody is`, allowed: `the regions in use: ${regions.join(", ")}`, atKey: true, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) };
    });
  });
}

function weights({ router: { policy } }: Scenario): Finding[] {
  if (!("weights" in policy) || Object.values(policy.weights).some((weight) => weight > 0)) return [];
  return [{ path: ["router", "policy", policy.kind], found: "weights of 0 only", allowed: "at least one weight above 0" }];
}

function checkOperator(operator: OperatorSpec, path: readonly PathPart[], catalogue: Catalogue): Finding[] {
  const { engine, machine, models, profile } = operator;
  const findings: Finding[] = [];
  if (engine.kind === "service-time" && constantOf(engine.serviceUs) === 0) findings.push({ path: [...path, "engine", "service-time", "service"], found: "0", allowed: "a time above 0" });
  if (machine === null && profile === undefined && engine.kind !== "service-time") findings.push({ path: [...path, "machine"], found: "nothing", allowed: "a machine of the catalogue, or one described here; only the service-time engine needs none, or one with a profile" });
  const knownMachine = machine !== null && (typeof machine !== "string" || catalogue.machineName(machine) !== undefined);
  if (typeof machine === "string" && !knownMachine) {
    const guess = nearest(machine, catalogue.machines);
    findings.push(guess === undefined
      ? { path: [...path, "machine"], found: quoted(machine), allowed: `a map that describes a machine, or one of the catalogue: ${catalogue.machines.join(", ")}` }
      : { path: [...path, "machine"], found: quoted(machine), allowed: "a machine of the catalogue, or a map that describes one", suggestion: quoted(guess) });
  }
  if (machine !== null && typeof machine !== "string" && machine.loadWatts < machine.idleWatts) {
    findings.push({ path: [...path, "machine", "power", "load"], found: `${machine.loadWatts} W`, allowed: `at least the ${machine.idleWatts} W drawn while idle` });
  }
  if (profile !== undefined) return [...findings, ...checkProfile(operator, profile, path, catalogue)];
  if (engine.kind === "service-time") return findings;
  models.forEach((model, i) => {
    const at = [...path, "model", ...(models.length > 1 ? [i] : [])];
    if (catalogue.modelName(model) === undefined) {
      findings.push({ path: at, ...unknownModel(model, catalogue) });
    } else if (knownMachine) {
      const misfit = catalogue.misfit(operator, model);
      if (misfit !== null) findings.push({ path: at, ...misfit });
    }
  });
  return findings;
}

function checkProfile({ engine, models }: OperatorSpec, profile: ProfileSpec, path: readonly PathPart[], catalogue: Catalogue): Finding[] {
  if (engine.kind === "service-time") return [{ path: [...path, "profile"], found: "a profile, with the service-time engine", allowed: "llama.cpp, vllm or sequential, whose steps a profile measures", atKey: true }];
  const { catalogue: measured, contextTokensMax } = profile.model;
  const findings = models.flatMap((model, i): Finding[] => measured === null || catalogue.modelName(model) === undefined || catalogue.modelName(model) === catalogue.modelName(measured) ? [] : [{
    path: [...path, "model", ...(models.length > 1 ? [i] : [])], found: `${quoted(model)}, with a profile of ${measured}`, allowed: "the model that was measured: its speeds hold for that alone",
  }]);
  if (contextTokensMax !== null && engine.contextTokens > contextTokensMax) {
    findings.push({ path: [...path, "engine"], found: `a context of ${engine.contextTokens} tokens`, allowed: `at most ${contextTokensMax} tokens, the context that ${profile.model.name} was made for` });
  }
  const limits = profileLimits(profile, engine);
  if (!limits.fits) findings.push({ path: [...path, "engine"], found: limits.reason, allowed: "fewer slots, or a shorter context" });
  return findings;
}

function unknownModel(model: string, catalogue: Catalogue): Omit<Finding, "path"> {
  const [name = "", quantisation] = model.split(":");
  const known = catalogue.models.find((entry) => entry.name === name);
  if (known !== undefined) {
    const guess = nearest(quantisation ?? "", known.quantisations);
    return { found: quoted(model), allowed: `${name} in one of the quantisations ${known.quantisations.join(", ")}`, ...(guess === undefined ? {} : { suggestion: quoted(`${name}:${guess}`) }) };
  }
  const names = catalogue.models.map((entry) => entry.name);
  const guess = nearest(name, names);
  if (guess === undefined) return { found: quoted(model), allowed: `a model of the catalogue: ${names.join(", ")}` };
  return { found: quoted(model), allowed: "a model of the catalogue", suggestion: quoted(quantisation === undefined ? guess : `${guess}:${quantisation}`) };
}

function checkClient(client: ClientSpec, path: readonly PathPart[], operators: readonly OperatorSpec[], catalogue: Catalogue): Finding[] {
  const findings: Finding[] = [];
  const offered = [...new Set(operators.flatMap(({ models }) => models))];
  const serving = operators.filter(({ models }) => models.includes(client.model));
  if (serving.length === 0) {
    // A misspelt model of an operator has been told already.
    if (operators.some(({ engine, models, profile }) => engine.kind !== "service-time" && profile === undefined && models.some((model) => catalogue.modelName(model) === undefined))) return [];
    const guess = nearest(client.model, offered);
    findings.push({ path: [...path, "model"], found: `${quoted(client.model)}, which no operator offers`, allowed: `a model that an operator offers: ${alternatives(offered)}`, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) });
    return findings;
  }
  const { allowedRegions } = client;
  if (allowedRegions !== null && !serving.some(({ regions }) => regions.some(({ region, share }) => share > 0 && allowedRegions.includes(region)))) {
    findings.push({ path: [...path, "allowedRegions"], found: alternatives(allowedRegions), allowed: `a region where ${client.model} is offered: ${alternatives([...new Set(serving.flatMap(({ regions }) => regions.map(({ region }) => region)))])}` });
  }
  const contextTokens = Math.max(...serving.map(({ engine }) => "contextTokens" in engine ? engine.contextTokens : Infinity));
  const least = (client.inputTokens === "trace" ? 1 : Math.max(1, leastOf(client.inputTokens))) + client.maxOutputTokens;
  if (least > contextTokens) {
    findings.push({ path: [...path, "maxOutputTokens"], found: `${client.maxOutputTokens}, with the shortest prompt ${least} tokens`, allowed: `prompt and output together within the longest context offered, ${contextTokens} tokens` });
  }
  if (client.arrivals.kind === "closed" && constantOf(client.arrivals.thinkTimeUs) === 0) {
    findings.push({ path: [...path, "arrivals", "closed", "thinkTime"], found: "0", allowed: "a time above 0: a user who is refused at once would ask again at the same instant, for ever" });
  }
  return findings;
}

function constantOf(spec: DistributionSpec): number | null {
  return typeof spec === "number" ? spec : "constant" in spec ? spec.constant : null;
}

/** A lower bound of what the distribution gives. */
function leastOf(spec: DistributionSpec): number {
  if (typeof spec === "number") return spec;
  if ("constant" in spec) return spec.constant;
  if ("uniform" in spec) return spec.uniform.min;
  if ("pareto" in spec) return spec.pareto.min;
  if ("normal" in spec) return spec.normal.min ?? 0;
  if ("values" in spec) return spec.values.reduce((least, value) => Math.min(least, value), Infinity);
  if ("quantiles" in spec) return spec.quantiles[0]?.[1] ?? 0;
  if ("mixture" in spec) return spec.mixture.reduce((least, { of }) => Math.min(least, leastOf(of)), Infinity);
  if ("clip" in spec) return Math.max(spec.clip.min ?? 0, Math.min(leastOf(spec.clip.of), spec.clip.max ?? Infinity));
  return 0;
}
