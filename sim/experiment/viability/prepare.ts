import type { PriceSheet } from "../../../protocol/messages.ts";
import type { Assumption, ViabilityReport } from "../../../protocol/result/viability.ts";
import { formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatUsd, MSAT_PER_BTC } from "../../../protocol/units.ts";
import { labCatalogue } from "../../scenario/catalogue.ts";
import { nearest } from "../../../input/nearest.ts";
import type { EngineSpec, MachineSpec, OperatorSpec, Scenario } from "../../scenario/scenario.ts";
import { catalogueModel, engineDefaults, engineLimits, machines } from "../../world/catalogue/index.ts";
import type { CatalogueMachine, Machine } from "../../world/catalogue/index.ts";
import { catalogueMachine, UnknownNameError } from "../../world/catalogue/index.ts";
import type { Costs } from "./accounts.ts";
import { Flags, ViabilityError } from "./flags.ts";
import type { FlagTexts } from "./flags.ts";
import { withOperator } from "./market.ts";
import type { MachineProfile as BenchProfile } from "../../../protocol/profile.ts";
import { type ProfileSpec, profileSpec } from "../../profile/spec.ts";
import { profileLimits } from "../../scenario/engine-plan.ts";
import type { MachineProfile } from "./profile.ts";
import { rentalSource, rentalUsdPerHour } from "./rental-prices.ts";
import type { ViabilityQuestion } from "./question.ts";

/** What a person asks, as typed; what is left out is assumed. */
export interface Choices {
  /** A name of the catalogue, or a machine that was measured: its speeds by hand, or a whole profile. */
  readonly machine: string | MachineProfile | BenchProfile;
  readonly flags: FlagTexts;
  readonly replications: number;
  /** Instead of the scenario's own. */
  readonly seed?: number | undefined;
  readonly sets: readonly string[];
  readonly lab: { readonly name: string; readonly version: string };
}

/** Slots of an engine where nothing says how many: as many contexts of 8 Ki as fit, and no more than this. */
const mostSlots = 16;
const contextTokens = engineDefaults["llama.cpp"].contextTokens;
/** A context below this serves few conversations, tokens. */
const leastContextTokens = 2_048;
const defaults = { electricityUsdPerKwh: 0.2, lifeYears: 4, residualShare: 0.2, capitalPerYear: 0.05, uptime: 0.95, usdPerBtc: 100_000 } as const;

/**
 * Puts the machine into the market as one more node, and states every assumption.
 * @throws ViabilityError where a flag, or the whole, makes no sense; the message is for the user
 */
export function prepare(scenario: Scenario, choices: Choices): ViabilityQuestion {
  const flags = new Flags(choices.flags, usdPerBtcOf(scenario) ?? defaults.usdPerBtc);
  const machine = machineFor(choices.machine, flags);
  const model = modelFor(scenario, machine, flags);
  const template = templateFor(scenario, machine, model);
  const engine = machine.profile === null ? engineFor(machine, machine.machine, model, template, flags) : profiledEngine(machine.profile, flags);
  if (!scenario.clients.some((client) => client.model === model)) throw new ViabilityError(nobodyAsks(scenario, model));
  const name = freeName(scenario);
  const costs = costsFor(scenario, machine, template, flags);
  const prices = pricesFor(template, flags);
  const region = regionFor(scenario, template, flags);
  const operator: OperatorSpec = {
    ...withoutMachine(template), name, count: 1, machine: machine.spec, ...(machine.profile === null ? {} : { profile: machine.profile }), models: [model], engine: engine.spec, prices: prices.prices, priceSpreadCv: 0,
    regions: [{ region: region.region, share: 1 }], stakeMsat: costs.costs.stakeMsat,
    // Hours off are taken off the month, not the market's hour; prices stay as they are asked.
    churn: { presence: null, failureShare: template.churn.failureShare, slowdown: null },
    strategy: { ...template.strategy, rule: { kind: "fixed" }, startSlots: null }, settlement: { ...template.settlement, nonDeliveryShare: 0 },
    // What the machine costs otherwise is the account's matter.
    electricityMsatPerKwh: Math.round(costs.costs.electricityUsdPerKwh / costs.costs.usdPerBtc * MSAT_PER_BTC), supply: null,
  };
  const rental = rentalFor(machine, flags);
  flags.done();
  return {
    scenario: withOperator(scenario, operator),
    operator: name,
    machine: { name: machine.name, model, engine: engine.spec.kind, slots: engine.slots, region: region.region, measured: machine.measured !== null, wattsScope: machine.wattsScope },
    prices: prices.prices,
    power: { idleWatts: machine.power.idleWatts, loadWatts: machine.power.loadWatts },
    costs: costs.costs,
    assumptions: [
      ...prices.assumptions, ...speedsAssumption(choices.machine), engine.assumption, region.assumption, ...costs.assumptions, rental.assumption, marketAssumption(scenario),
    ],
    rental: rental.rental,
    seed: choices.seed ?? scenario.seed,
    replications: choices.replications,
    sets: choices.sets,
    lab: choices.lab,
  };
}

interface ChosenMachine {
  readonly name: string;
  /** null: the profile says it all. */
  readonly spec: string | MachineSpec | null;
  readonly machine: Machine;
  readonly power: { readonly idleWatts: number; readonly loadWatts: number };
  readonly wattsScope: ViabilityReport["machine"]["wattsScope"];
  readonly measured: Measured | null;
  readonly profile: ProfileSpec | null;
  readonly catalogue: CatalogueMachine | null;
}

/** What is known of a machine that was measured. */
interface Measured {
  /** Of the catalogue; null: a profile does not say. */
  readonly model: string | null;
  readonly engine: MachineProfile["engine"];
  readonly purchaseUsd: number | null;
}

/** Whose manners are taken need not stand for whose machine. */
function withoutMachine(spec: OperatorSpec): OperatorSpec {
  const { profile: _profile, host: _host, ...rest } = spec;
  return rest;
}

/** The machine of that name; a name's beginning is enough where only one machine has it. */
function machineFor(given: Choices["machine"], flags: Flags): ChosenMachine {
  if (typeof given !== "string" && "schema" in given) return profiledMachine(given, flags);
  if (typeof given !== "string") {
    const { name, memoryBytes, sharedMemory, idleWatts, loadWatts, wattsScope, speeds: measured } = given;
    // Bandwidth and arithmetic are not asked of somebody who has measured what they lead to.
    const spec: MachineSpec = { name, family: "generic", memoryBytes, bandwidthBytesPerS: 1, flopPerS: 1, idleWatts, loadWatts, sharedMemory, measured };
    return { name, spec, machine: spec, power: { idleWatts, loadWatts }, wattsScope, measured: given, profile: null, catalogue: null };
  }
  const plain = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, "");
  const beginning = machines.filter(({ name }) => plain(given) !== "" && plain(name).startsWith(plain(given)));
  let found: CatalogueMachine;
  try {
    found = catalogueMachine(beginning.length === 1 ? beginning[0]!.name : given);
  } catch (error) {
    if (!(error instanceof UnknownNameError)) throw error;
    if (beginning.length > 1) throw new ViabilityError(`--machine: ${JSON.stringify(given)} may be ${list(beginning.map(({ name }) => name))}; which one?`);
    const guess = error.suggestions[0] ?? nearest(given, machines.map(({ name }) => name));
    throw new ViabilityError(guess === undefined
      ? `--machine: there is no machine ${JSON.stringify(given)} in the catalogue, and no such file. Known: ${machines.map(({ name }) => name).join(", ")}.`
      : `--machine: there is no machine ${JSON.stringify(given)} in the catalogue; did you mean ${list(error.suggestions.length > 0 ? error.suggestions : [guess])}? A file with measured speeds does as well.`);
  }
  return { name: found.name, spec: found.name, machine: found, power: found, wattsScope: found.wattsScope, measured: null, profile: null, catalogue: found };
}

/** A machine whose profile somebody has measured. Watts are nothing that a bench can know. */
function profiledMachine(given: BenchProfile, flags: Flags): ChosenMachine {
  const { name, machine: { power, priceUsd } } = given;
  if (power === null && !(flags.given("idle-power") && flags.given("load-power"))) {
    throw new ViabilityError(`--machine: the profile of ${name} does not say what power the machine draws; add --idle-power and --load-power, such as --idle-power "20 W" --load-power "350 W".`);
  }
  let profile: ProfileSpec;
  try {
    profile = profileSpec(given);
  } catch (error) {
    if (error instanceof RangeError) throw new ViabilityError(`--machine: the profile of ${name} cannot be used: ${error.message}.`);
    throw error;
  }
  const { idleWatts, loadWatts } = power ?? { idleWatts: 0, loadWatts: 0 };
  const machine: MachineSpec = { name, family: "generic", memoryBytes: profile.memoryBytes ?? 0, bandwidthBytesPerS: 1, flopPerS: 1, idleWatts, loadWatts };
  return {
    name, spec: null, machine, power: { idleWatts, loadWatts }, wattsScope: power?.scope ?? "machine",
    measured: { model: profile.model.catalogue, engine: profile.engine, purchaseUsd: priceUsd }, profile, catalogue: null,
  };
}

function speedsAssumption(given: Choices["machine"]): Assumption[] {
  if (typeof given === "string" || !("schema" in given)) return [];
  const { fit, date, source: { tool }, model } = given;
  return [{
    id: "profile", name: "Speeds", value: model.name, unit: "", text: `as measured with ${model.name}${date === null ? "" : ` on ${date.slice(0, 10)}`}, ${fit === undefined ? "straight from the measurements" : `by coefficients fitted to the measurements (form ${fit.cost.form})`}`,
    source: `${tool}; ${given.name}`, flag: "--machine", given: true,
  }];
}

function modelFor(scenario: Scenario, machine: ChosenMachine, flags: Flags): string {
  const given = flags.text("model") ?? machine.measured?.model ?? undefined;
  const asked = modelsAsked(scenario);
  if (machine.profile !== null && machine.profile.model.catalogue === null) {
    if (given === undefined) throw new ViabilityError(`--machine: the profile of ${machine.name} was measured with ${machine.profile.model.name}, which may be any model; say with --model which one of the market it serves: ${list(asked)}.`);
    // Whoever has measured a model of their own knows what the market calls it.
    return asked.find((candidate) => candidate.split(":")[0] === given) ?? given;
  }
  if (given === undefined) {
    const known = asked.find((name) => labCatalogue.modelName(name) !== undefined);
    if (known === undefined) throw new ViabilityError(`the clients of ${scenario.name} ask for ${list(asked)}, which is no model of the catalogue: nobody knows how fast a machine serves it. Choose another --scenario.`);
    return known;
  }
  try {
    // A name without its quantisation means the one that is asked for, if one is.
    const name = asked.find((candidate) => candidate.split(":")[0] === given) ?? given;
    const resolved = catalogueModel(name).name;
    if (machine.measured !== null && machine.measured.model !== null && catalogueModel(machine.measured.model).name !== resolved) {
      throw new ViabilityError(`--model: found ${resolved}; ${machine.name} was measured with ${machine.measured.model}, and its speeds hold for that alone.`);
    }
    return resolved;
  } catch (error) {
    if (error instanceof UnknownNameError) throw new ViabilityError(`--model: ${error.message}`);
    throw error;
  }
}

/** Models that clients ask for, the one of most client classes first. */
function modelsAsked({ clients }: Scenario): string[] {
  const names = [...new Set(clients.map(({ model }) => model))];
  const classes = (name: string): number => clients.filter(({ model }) => model === name).length;
  return names.sort((a, b) => classes(b) - classes(a) || (a < b ? -1 : 1));
}

function nobodyAsks(scenario: Scenario, model: string): string {
  return `nobody in ${scenario.name} asks for ${model}; its clients ask for ${list(modelsAsked(scenario))}. Choose that --model, or another market with --scenario.`;
}

/** The operator class that the machine's prices and manners are taken from: of the same machine, else the one in the middle of the market. */
function templateFor(scenario: Scenario, machine: ChosenMachine, model: string): OperatorSpec {
  const serving = scenario.operators.filter(({ models }) => models.includes(model));
  const same = machine.spec === null ? undefined : serving.find((spec) => spec.machine === machine.spec);
  if (same !== undefined) return same;
  const sorted = (serving.length > 0 ? serving : scenario.operators).toSorted((a, b) => a.prices.outputMsatPerMtok - b.prices.outputMsatPerMtok || a.prices.inputMsatPerMtok - b.prices.inputMsatPerMtok || (a.name < b.name ? -1 : 1));
  const half = sorted.reduce((sum, { count }) => sum + count, 0) / 2;
  let nodes = 0;
  return sorted.find(({ count }) => (nodes += count) >= half)!;
}

interface ChosenEngine {
  readonly spec: Exclude<EngineSpec, { readonly kind: "service-time" }>;
  readonly slots: number;
  readonly assumption: Assumption;
}

/** As it was measured, where nothing else is said. */
function profiledEngine(profile: ProfileSpec, flags: Flags): ChosenEngine {
  const kind = flags.word("engine", ["llama.cpp", "vllm", "sequential"]) ?? profile.engine;
  const slots = flags.whole("slots", 1, 65_536);
  const context = flags.quantity("context", "tokens", { positive: true });
  const given = flags.given("engine") || slots !== undefined || context !== undefined;
  const chosenContext = context ?? profile.contextTokens ?? Math.min(contextTokens, profile.model.contextTokensMax ?? Infinity);
  const measuredBatch = profile.cost.kind === "measured" ? Math.max(...profile.cost.decode.map(({ batch }) => batch)) : engineDefaults["llama.cpp"].slots;
  const usualSlots = profile.slots ?? measuredBatch;
  const spec: ChosenEngine["spec"] = kind === "vllm"
    ? { kind, maxSequences: slots ?? profile.slots ?? engineDefaults.vllm.maxSequences, stepTokens: profile.batchTokens ?? engineDefaults.vllm.stepTokens, contextTokens: chosenContext, memoryShare: engineDefaults.vllm.memoryShare }
    : kind === "sequential" ? { kind, contextTokens: chosenContext }
    : { kind, slots: slots ?? usualSlots, contextTokens: chosenContext, batchTokens: profile.batchTokens ?? engineDefaults["llama.cpp"].batchTokens };
  const limits = profileLimits(profile, spec);
  if (!limits.fits) throw new ViabilityError(`${profile.model.name} does not fit so: ${limits.reason}. Choose fewer --slots or a shorter --context.`);
  return {
    spec, slots: limits.slots,
    assumption: { id: "engine", name: "Engine", value: spec.kind, unit: "", text: `${spec.kind}, ${limits.slots === 1 ? "1 slot" : `${formatNumber(limits.slots)} slots`} of ${formatNumber(spec.contextTokens)} tokens`, source: given ? "as given; the rest as in the profile" : "as in the profile", flag: "--engine, --slots, --context", given },
  };
}

function engineFor(machine: ChosenMachine, figures: Machine, modelName: string, template: OperatorSpec, flags: Flags): ChosenEngine {
  const { model, quantisation } = catalogueModel(modelName);
  const kind = flags.word("engine", ["llama.cpp", "vllm", "sequential"]) ?? machine.measured?.engine;
  const slots = flags.whole("slots", 1, 65_536);
  const context = flags.quantity("context", "tokens", { positive: true });
  const given = kind !== undefined || slots !== undefined || context !== undefined;
  const same = template.machine === machine.spec && template.models.includes(modelName) && template.engine.kind !== "service-time" ? template.engine : null;
  const wanted = Math.min(context ?? contextTokens, model.contextTokensMax);
  const fitting = engineLimits(figures, model, quantisation, { kind: kind ?? "llama.cpp", slots: mostSlots, contextTokens: wanted } as Parameters<typeof engineLimits>[3]);
  if (!fitting.fits) throw new ViabilityError(`${modelName} does not fit: ${fitting.reason}. Choose a smaller --model or a larger --machine.`);
  const fit = Math.floor(fitting.kvTokensMax / wanted);
  const chosenContext = fit === 0 && context === undefined ? Math.max(leastContextTokens, 2 ** Math.floor(Math.log2(fitting.kvTokensMax))) : wanted;
  const chosenSlots = slots ?? Math.max(1, Math.min(mostSlots, fit));
  let spec: ChosenEngine["spec"];
  if (same !== null && !given) spec = same;
  else if (kind === "vllm") spec = { kind, maxSequences: slots ?? engineDefaults.vllm.maxSequences, stepTokens: engineDefaults.vllm.stepTokens, contextTokens: chosenContext, memoryShare: engineDefaults.vllm.memoryShare };
  else if (kind === "sequential") spec = { kind, contextTokens: chosenContext };
  else spec = { kind: "llama.cpp", slots: chosenSlots, contextTokens: chosenContext, batchTokens: engineDefaults["llama.cpp"].batchTokens };

  const misfit = labCatalogue.misfit({ ...template, machine: machine.spec, models: [modelName], engine: spec }, modelName);
  if (misfit !== null) {
    const hint = fit >= 1 && chosenContext === wanted ? ` With --slots ${Math.min(fit, mostSlots)} it fits.` : ` A --context of ${fitting.kvTokensMax} tokens with --slots 1 is the most.`;
    throw new ViabilityError(`${modelName} does not fit so: found ${misfit.found}; allowed: ${misfit.allowed}.${hint}`);
  }
  const limits = engineLimits(figures, model, quantisation, spec);
  const source = same !== null && !given ? `as ${template.name} in the scenario`
    : given ? "as given; the rest: as many contexts as fit, at most 16"
    : `as many contexts of ${formatNumber(chosenContext)} tokens as fit, at most ${mostSlots}`;
  return {
    spec, slots: limits.slots,
    assumption: { id: "engine", name: "Engine", value: spec.kind, unit: "", text: `${spec.kind}, ${limits.slots === 1 ? "1 slot" : `${formatNumber(limits.slots)} slots`} of ${formatNumber(spec.contextTokens)} tokens`, source, flag: "--engine, --slots, --context", given },
  };
}

function pricesFor(template: OperatorSpec, flags: Flags): { readonly prices: PriceSheet; readonly assumptions: Assumption[] } {
  const assumptions: Assumption[] = [];
  const one = (flag: "price-input" | "price-output", name: string, usual: number): number => {
    const value = flags.msat(flag, "token price") ?? usual;
    const given = flags.given(flag);
    assumptions.push({ id: flag, name, value, unit: "msat/Mtok", text: `${formatMsatPerMtok(value)} (${formatUsd(value / MSAT_PER_BTC * flags.usdPerBtc)}/Mtok)`, source: given ? "as given" : `as ${template.name} in the scenario`, flag: `--${flag}`, given });
    return value;
  };
  const inputMsatPerMtok = one("price-input", "Price of prompts", template.prices.inputMsatPerMtok);
  const outputMsatPerMtok = one("price-output", "Price of answers", template.prices.outputMsatPerMtok);
  const fixedMsat = flags.msat("price-fixed", "money") ?? template.prices.fixedMsat;
  if (fixedMsat > 0 || flags.given("price-fixed")) {
    assumptions.push({ id: "price-fixed", name: "Price per job", value: fixedMsat, unit: "msat", text: formatMsat(fixedMsat), source: flags.given("price-fixed") ? "as given" : `as ${template.name} in the scenario`, flag: "--price-fixed", given: flags.given("price-fixed") });
  }
  return { prices: { inputMsatPerMtok, outputMsatPerMtok, fixedMsat }, assumptions };
}

function regionFor(scenario: Scenario, template: OperatorSpec, flags: Flags): { readonly region: string; readonly assumption: Assumption } {
  const known = [...new Set([scenario.router.region, ...[...scenario.operators, ...scenario.clients].flatMap(({ regions }) => regions.map(({ region }) => region))])].sort();
  const given = flags.word("region", known);
  const region = given ?? template.regions.toSorted((a, b) => b.share - a.share || (a.region < b.region ? -1 : 1))[0]!.region;
  return { region, assumption: { id: "region", name: "Region", value: region, unit: "", text: region, source: given === undefined ? `where most of ${template.name} are` : "as given", flag: "--region", given: given !== undefined } };
}

function costsFor(scenario: Scenario, machine: ChosenMachine, template: OperatorSpec, flags: Flags): { readonly costs: Costs; readonly assumptions: Assumption[] } {
  const assumptions: Assumption[] = [];
  const state = (id: string, name: string, value: number | undefined, usual: number, unit: string, text: (value: number) => string, source: string): number => {
    const chosen = value ?? usual;
    assumptions.push({ id, name, value: chosen, unit, text: text(chosen), source: value === undefined ? source : "as given", flag: `--${id}`, given: value !== undefined });
    return chosen;
  };
  const { catalogue, measured } = machine;
  const usdPerBtc = state("exchange", "Exchange rate", flags.exchange(), flags.usdPerBtc, "USD/btc", (value) => `${formatNumber(value)} USD/btc`, usdPerBtcOf(scenario) === null ? "an assumption; the scenario states none" : scenario.exchange === null ? "as in the scenario" : "as at the scenario's start; that it moves there is not followed");
  const stated = template.electricityMsatPerKwh;
  const electricityUsdPerKwh = state(
    "electricity", "Electricity", flags.tariff("electricity"), stated === null ? defaults.electricityUsdPerKwh : Number((stated / MSAT_PER_BTC * usdPerBtc).toPrecision(12)), "USD/kWh", (value) => `${formatSignificant(value)} USD/kWh`,
    stated === null ? "about what households pay" : `as ${template.name} in the scenario`,
  );
  const watts = measured === null ? "machine catalogue" : "the profile";
  const idleWatts = state("idle-power", "Power while it waits", flags.quantity("idle-power", "power"), machine.power.idleWatts, "W", (value) => `${formatSignificant(value)} W`, watts);
  const loadWatts = state("load-power", "Power while it works", flags.quantity("load-power", "power"), machine.power.loadWatts, "W", (value) => `${formatSignificant(value)} W`, watts);
  if (loadWatts < idleWatts) throw new ViabilityError(`--load-power: found ${formatSignificant(loadWatts)} W; allowed: at least the ${formatSignificant(idleWatts)} W drawn while it waits.`);
  const hostWatts = state("host-power", "Power around it", flags.quantity("host-power", "power"), 0, "W", (value) => `${formatSignificant(value)} W`,
    machine.wattsScope === "board" ? "none: the card alone, as if the computer ran anyway" : "none: the watts above are the whole machine's");
  const purchaseUsd = state("purchase", "Purchase price", flags.usd("purchase"), catalogue?.priceUsd ?? measured?.purchaseUsd ?? 0, "USD", formatUsd,
    catalogue !== null ? `machine catalogue: ${catalogue.priceYear} price${catalogue.wattsScope === "board" ? " of the card alone" : ""}; 0 if it is yours anyway` : measured?.purchaseUsd == null ? "none: the profile states no price" : "the profile");
  const lifeYears = state("life", "Life", flags.years("life"), defaults.lifeYears, "years", (value) => `${formatSignificant(value)} years`, "an assumption; large clouds write servers off over 5 or 6 years");
  const residualShare = state("residual", "Worth after that", flags.share("residual"), defaults.residualShare, "", (value) => `${formatPercent(value)} of its price`, "an assumption");
  const rentUsdPerHour = state("rent", "Rent paid for it", flags.perHour("rent"), 0, "USD/h", (value) => value === 0 ? "none: it is bought" : `${formatUsd(value)} per hour, on or off`, "it is bought");
  const upkeepPerYear = state("upkeep", "Upkeep", flags.yearly("upkeep"), 0, "/year", (value) => `${formatPercent(value)} of its price a year`, "none");
  const stakeMsat = state("stake", "Stake", flags.msat("stake", "money"), template.stakeMsat, "msat", formatMsat, `as ${template.name} in the scenario`);
  const capitalPerYear = state("capital", "Return elsewhere", flags.yearly("capital"), defaults.capitalPerYear, "/year", (value) => `${formatPercent(value)} a year`, "an assumption");
  const otherUsdPerMonth = state("other", "Other costs", flags.usd("other"), 0, "USD/month", (value) => `${formatUsd(value)} a month`, "none: as if the connection were there anyway");
  const uptime = state("uptime", "Availability", flags.share("uptime", true), defaults.uptime, "", (value) => `${formatPercent(value)} of the month`, "an assumption; hours off are as good as any, and cost nothing");
  return { costs: { electricityUsdPerKwh, idleWatts, loadWatts, hostWatts, purchaseUsd, lifeYears, residualShare, rentUsdPerHour, capitalPerYear, upkeepPerYear, stakeMsat, otherUsdPerMonth, uptime, usdPerBtc }, assumptions };
}

function rentalFor(machine: ChosenMachine, flags: Flags): { readonly rental: ViabilityQuestion["rental"]; readonly assumption: Assumption } {
  const given = flags.perHour("rental");
  const known = rentalUsdPerHour(machine.name);
  const usdPerHour = given ?? known;
  const source = given !== undefined ? "as given" : known === null ? "no marketplace price is known for it" : rentalSource;
  return {
    rental: usdPerHour === null ? null : { usdPerHour, source },
    assumption: { id: "rental", name: "Rent on a marketplace", value: usdPerHour, unit: "USD/h", text: usdPerHour === null ? "not known" : `${formatUsd(usdPerHour)} per hour`, source, flag: "--rental", given: given !== undefined },
  };
}

function marketAssumption(scenario: Scenario): Assumption {
  return {
    id: "scenario", name: "Market", value: scenario.name, unit: "", text: `${scenario.name}, every hour of the month`,
    source: "the scenario's measured time is taken for every hour that the machine is on: no night, no weekend, no growth beyond what it plays", flag: "--scenario, --set", given: false,
  };
}

/** What a bitcoin is worth in the scenario; null where it does not say. */
export function usdPerBtcOf({ exchangeRates }: Scenario): number | null {
  const rate = exchangeRates.find(({ currency }) => currency === "USD");
  return rate === undefined ? null : MSAT_PER_BTC / rate.msatPerUnit;
}

function freeName({ operators }: Scenario): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? "you" : `you-${i}`;
    if (operators.every((operator) => operator.name !== name)) return name;
  }
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)!}`;
}
