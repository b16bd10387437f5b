import { formatNumber } from "../../protocol/units.ts";
import type { PolicyOptions } from "../../scheduler/selection/policy.ts";
import type { DistributionSpec } from "../kernel/distributions/index.ts";
import type { Catalogue } from "./catalogue.ts";
import type { DistributionInput, QuantityInput } from "../../input/fields.ts";
import type { PathPart } from "../../input/path-part.ts";
import type { Finding } from "../../input/problem.ts";
import { foreverUs, unlimitedJobs, unlimitedMsat } from "./scenario.ts";
import type { ArrivalsSpec, ChurnSpec, ClientSpec, EngineSpec, ExchangeRate, LatencyGoal, MachineSpec, OperatorSpec, ProfileSpec, RouterSpec, Scenario, Share, TraceSpec } from "./scenario.ts";
import { engineSchema } from "./schema.ts";
import type { CompleteInput } from "./schema.ts";
import type { Amount, Rates } from "../supply/amount.ts";
import { msatOf, rateOf, UNITS_PER_FIAT } from "../supply/amount.ts";
import { quoted } from "../../input/problem.ts";
import type { Path, SectionContext } from "./sections/context.ts";
import { moves, resolveExchange } from "./sections/exchange.ts";
import { resolveHosts, resolvePlace } from "./sections/hosts.ts";
import { checkChoice, resolvePricing } from "./sections/pricing.ts";
import { resolveProfile } from "./sections/profile.ts";
import { resolveClientSettlement, resolveFeeTerms, resolveOperatorSettlement, resolvePaymentSettlement } from "./sections/settlement.ts";
import { checkChoicePolicy } from "../../scheduler/custom/choice.ts";
import { resolvePolicyFile } from "./sections/custom.ts";
import { resolveStrategy } from "./sections/strategy.ts";
import { meanElectricityMsat, resolveSupply } from "./sections/supply.ts";
import { describeValue, exchanged, isWhole, parseQuantity, toNearest, toNumber } from "../../input/units.ts";
import type { Dimension } from "../../input/units.ts";
import { resolveWorth } from "./sections/worth.ts";

type Names = Pick<Catalogue, "machineName" | "modelName" | "machinePriceUsd">;
type OperatorInput = CompleteInput["operators"][number];
type ClientInput = CompleteInput["clients"][number];
/** The member of a choice that has this key. */
type Tagged<T, K extends string> = Extract<T, Readonly<Record<K, unknown>>>;

const maxSlotsSharing = 1_000;
const usualContextTokens = 8_192;
const usualStepTokens = 2_048;

/** Brings a scenario that the schema has accepted to base units. What cannot be resolved lands in `findings`. */
export class Resolver {
  readonly findings: Finding[] = [];
  /** What sections of their own resolve with. */
  section: SectionContext = {
    number: (dimension, value, path, real) => this.#number(dimension, value, path, real),
    us: (value, path) => this.#us(value, path),
    distribution: (dimension, input, path) => this.#distribution(dimension, input, path),
    amount: (dimension, value, path) => this.#amount(dimension, value, path),
    msat: (amount) => Math.round(msatOf(amount, this.#amountRates)),
    fiatUnits: (currency, msat, path) => this.#fiatUnits(currency, msat, path),
    moving: false,
    text: (path, file) => this.#text(path, file),
    finding: (finding) => void this.findings.push(finding),
  };
  readonly #rates: readonly ExchangeRate[];
  readonly #names: Names;
  readonly #traceFile: (path: Path, file: string) => string;
  readonly #readText: (file: string) => string;

  /**
   * @param names brings names of machines and models to their full form.
   * @param traceFile turns a file's path as written at a place of the scenario into one that can be opened.
   * @param readText reads such a file.
   */
  constructor(input: CompleteInput, names: Names, traceFile: (path: Path, file: string) => string, readText: (file: string) => string) {
    this.#names = names;
    this.#traceFile = traceFile;
    this.#readText = readText;
    this.#rates = this.#exchangeRates(input.exchangeRate);
    this.section = { ...this.section, moving: moves(input.exchange) };
  }

  scenario(input: CompleteInput): Scenario {
    const operators = input.operators.map((operator, i) => this.#operator(operator, ["operators", i]));
    const router = this.#router(input.router);
    const posted = operators.flatMap(({ count, prices }) => Array.from({ length: count }, () => prices));
    const pricing = resolvePricing(input.pricing, { posted, fee: router.fee }, ["pricing"], this.section);
    const clients = input.clients.map((client, i) => this.#client(client, input.settlement, ["clients", i]));
    clients.forEach(({ worth: { choice } }, i) => checkChoice(pricing, choice, ["clients", i], this.section));
    const pricesMove = pricing.kind !== "posted" || operators.some(({ strategy }) => strategy.rule.kind !== "fixed");
    return {
      name: input.name,
      question: input.question,
      description: input.description,
      seed: input.seed,
      horizonUs: this.#us(input.horizon, ["horizon"]),
      warmupUs: input.warmup === "auto" ? 0 : this.#us(input.warmup, ["warmup"]),
      ...(input.warmup === "auto" ? { autoWarmup: true } : {}),
      drain: input.drain,
      exchangeRates: this.#rates,
      exchange: resolveExchange(input, this.#rates, this.section),
      network: {
        latencyUs: this.#us(input.network.latency, ["network", "latency"]),
        sameRegionUs: this.#us(input.network.sameRegion, ["network", "sameRegion"]),
        between: sortedEntries(input.network.between).map(([pair, latency]) => {
          const [a = "", b = ""] = pair.split("/");
          return { a, b, latencyUs: this.#us(latency, ["network", "between", pair]) };
        }),
        jitterCv: input.network.jitter,
        signingUs: this.#us(input.network.signing, ["network", "signing"]),
        verifyingUs: this.#us(input.network.verifying, ["network", "verifying"]),
        messages: input.network.messages,
      },
      router: input.router.marketState === undefined && pricesMove ? { ...router, marketStateUs: router.heartbeatUs } : router,
      pricing,
      payment: {
        latencyUs: this.#us(input.payment.latency, ["payment", "latency"]),
        baseFeeMsat: this.#number("money", input.payment.baseFee, ["payment", "baseFee"]),
        feePpm: input.payment.feePpm,
        failureShare: this.#number("share", input.payment.failure, ["payment", "failure"]),
        clientBalanceMsat: this.#number("money", input.payment.clientBalance, ["payment", "clientBalance"]),
        attempts: input.payment.attempts,
        retryUs: this.#us(input.payment.retryPause, ["payment", "retryPause"]),
        invoiceExpiryUs: this.#us(input.payment.invoiceExpiry, ["payment", "invoiceExpiry"]),
        ...resolvePaymentSettlement(input.payment, ["payment"], this.section),
      },
      ...(input.hosts === undefined ? {} : { hosts: resolveHosts(input.hosts) }),
      operators,
      clients,
    };
  }

  #exchangeRates(input: CompleteInput["exchangeRate"]): ExchangeRate[] {
    if (input === undefined) return [];
    const listed = Array.isArray(input) ? input : [input];
    return listed.flatMap((text, i) => {
      const quantity = parseQuantity("exchange rate", text);
      if ("found" in quantity || quantity.currency === null) return [];
      if (listed.slice(0, i).some((other) => String(other).includes(quantity.currency!))) {
        this.findings.push({ path: ["exchangeRate", i], found: `a second rate for ${quantity.currency}`, allowed: "one rate per currency" });
      }
      return [{ currency: quantity.currency, msatPerUnit: unlimitedMsat / toNumber(quantity) }];
    });
  }

  /** In base units. The schema has checked the spelling; only exchange rates are left. */
  #number(dimension: Dimension, value: QuantityInput, path: Path, real = false): number {
    let quantity = parseQuantity(dimension, value);
    if ("found" in quantity) throw new Error(`${path.join(".")}: ${quantity.found} passed the schema`);
    const { currency } = quantity;
    if (currency !== null && dimension !== "exchange rate") {
      const rate = this.#rates.find((one) => one.currency === currency);
      if (rate === undefined) {
        this.findings.push({ path, found: `${describeValue(value)}, without an exchange rate for ${currency}`, allowed: `an amount in msat, sat or btc, or a rate at the top level such as "exchangeRate: 100000 ${currency}/btc"` });
        return 0;
      }
      quantity = exchanged(quantity, rate.msatPerUnit);
    }
    return isWhole(dimension) && !real ? toNearest(quantity) : toNumber(quantity);
  }

  get #amountRates(): Rates {
    const rate = (currency: ExchangeRate["currency"]): number => rateOf(this.#rates.find((one) => one.currency === currency)?.msatPerUnit ?? 0);
    return { USD: rate("USD"), EUR: rate("EUR") };
  }

  #amount(dimension: Dimension, value: QuantityInput, path: Path): Amount {
    const quantity = parseQuantity(dimension, value);
    const msat = { currency: "msat" as const, units: Math.round(this.#number(dimension, value, path)) };
    if ("found" in quantity || quantity.currency === null || !this.section.moving || !this.#rates.some(({ currency }) => currency === quantity.currency)) return msat;
    return { currency: quantity.currency, units: toNearest({ ...quantity, numerator: quantity.numerator * BigInt(UNITS_PER_FIAT) }) };
  }

  #fiatUnits(currency: ExchangeRate["currency"], msat: number, path: Path): number | null {
    const rate = this.#rates.find((one) => one.currency === currency);
    if (rate !== undefined) return Math.round(msat * UNITS_PER_FIAT / rate.msatPerUnit);
    this.findings.push({ path, found: `${currency}, without an exchange rate for it`, allowed: `msat, or a rate at the top level such as "exchangeRate: 100000 ${currency}/btc"` });
    return null;
  }

  #text(path: Path, file: string): string | null {
    const full = this.#traceFile(path, file);
    try {
      return this.#readText(full);
    } catch {
      if (!this.findings.some((finding) => finding.path === path)) this.findings.push({ path, found: `${quoted(full)}, which cannot be read`, allowed: "a text file that can be read" });
      return null;
    }
  }

  #us(value: QuantityInput, path: Path): number {
    return value === "forever" ? foreverUs : this.#number("duration", value, path);
  }

  #distribution(dimension: Dimension, input: DistributionInput, path: Path): DistributionSpec {
    const at = (value: QuantityInput, ...more: PathPart[]): number => this.#number(dimension, value, [...path, ...more], true);
    const nested = (value: DistributionInput, ...more: PathPart[]): DistributionSpec => this.#distribution(dimension, value, [...path, ...more]);
    if (input === "forever") return foreverUs;
    if (input === "unlimited") return unlimitedMsat;
    if (typeof input !== "object") return this.#number(dimension, input, path);
    const bounds = (tag: string, { min, max }: { readonly min?: QuantityInput | undefined; readonly max?: QuantityInput | undefined }): { min?: number; max?: number } => {
      const found = { ...(min === undefined ? {} : { min: at(min, tag, "min") }), ...(max === undefined ? {} : { max: at(max, tag, "max") }) };
      if (found.min !== undefined && found.max !== undefined && found.min >= found.max) {
        this.findings.push({ path: [...path, tag, "max"], found: describeValue(max), allowed: `more than min, ${describeValue(min)}` });
      }
      return found;
    };
    if ("uniform" in input) {
      bounds("uniform", input.uniform);
      return { uniform: { min: at(input.uniform.min, "uniform", "min"), max: at(input.uniform.max, "uniform", "max") } };
    }
    if ("exponential" in input) return { exponential: { mean: at(input.exponential.mean, "exponential", "mean") } };
    if ("gamma" in input) return { gamma: { mean: at(input.gamma.mean, "gamma", "mean"), cv: input.gamma.cv } };
    if ("weibull" in input) return { weibull: { mean: at(input.weibull.mean, "weibull", "mean"), cv: input.weibull.cv } };
    if ("lognormal" in input) {
      const { lognormal } = input;
      return "mean" in lognormal
        ? { lognormal: { mean: at(lognormal.mean, "lognormal", "mean"), cv: lognormal.cv } }
        : { lognormal: { median: at(lognormal.median, "lognormal", "median"), sigma: lognormal.sigma } };
    }
    if ("pareto" in input) {
      const min = at(input.pareto.min, "pareto", "min");
      return { pareto: { ...bounds("pareto", input.pareto), min, shape: input.pareto.shape } };
    }
    if ("normal" in input) {
      const { mean, sd } = input.normal;
      return { normal: { min: 0, ...bounds("normal", input.normal), mean: at(mean, "normal", "mean"), sd: at(sd, "normal", "sd") } };
    }
    if ("hyperexponential" in input) return { hyperexponential: { mean: at(input.hyperexponential.mean, "hyperexponential", "mean"), cv: input.hyperexponential.cv } };
    if ("erlang" in input) return { erlang: { mean: at(input.erlang.mean, "erlang", "mean"), stages: input.erlang.stages } };
    if ("values" in input) return { values: input.values.map((value, i) => at(value, "values", i)) };
    if ("mixture" in input) return { mixture: input.mixture.map(({ weight, of }, i) => ({ weight, of: nested(of, "mixture", i, "of") })) };
    if ("clip" in input) return { clip: { ...bounds("clip", input.clip), of: nested(input.clip.of, "clip", "of") } };
    return { quantiles: this.#quantiles(input.quantiles.map(([p, value], i) => [p, at(value, "quantiles", i, 1)]), [...path, "quantiles"]) };
  }

  #quantiles(points: [number, number][], path: Path): [number, number][] {
    points.forEach(([p, value], i) => {
      const before = points[i - 1];
      if (before !== undefined && (p <= before[0] || value < before[1])) {
        this.findings.push({ path: [...path, i], found: `[${p}, ${value}] after [${before[0]}, ${before[1]}]`, allowed: "shares that grow, and values that do not fall" });
      }
    });
    const [first, last] = [points[0]!, points.at(-1)!];
    if (first[0] !== 0) this.findings.push({ path: [...path, 0, 0], found: String(first[0]), allowed: "share 0 first: the smallest value" });
    if (last[0] !== 1) this.findings.push({ path: [...path, points.length - 1, 0], found: String(last[0]), allowed: "share 1 last: the largest value" });
    return points;
  }

  #router(input: CompleteInput["router"]): RouterSpec {
    const path = ["router"];
    const heartbeatUs = this.#us(input.heartbeat, [...path, "heartbeat"]);
    const share = this.#number("share", input.fee.share, [...path, "fee", "share"]) * 10_000;
    const shareBps = Math.round(share);
    if (Math.abs(share - shareBps) > 1e-9) {
      this.findings.push({ path: [...path, "fee", "share"], found: `${describeValue(input.fee.share)}, finer than 1 bps`, allowed: "whole basis points (100 bps are 1 %)" });
    }
    return {
      count: input.count,
      region: input.region,
      policy: typeof input.policy === "object" && "policy" in input.policy
        ? { kind: "custom", policy: resolvePolicyFile(input.policy.policy, [...path, "policy", "policy"], this.section, checkChoicePolicy) } : policy(input.policy),
      heartbeatUs,
      marketStateUs: input.marketState === undefined || input.marketState === "never" ? 0 : this.#us(input.marketState, [...path, "marketState"]),
      staleAfterUs: input.staleAfter === undefined ? 3 * heartbeatUs : this.#us(input.staleAfter, [...path, "staleAfter"]),
      attempts: input.attempts,
      acceptTimeoutUs: this.#us(input.acceptTimeout, [...path, "acceptTimeout"]),
      jobTimeoutUs: this.#us(input.jobTimeout, [...path, "jobTimeout"]),
      queue: { limit: jobs(input.queue.limit), maxWaitUs: this.#us(input.queue.maxWait, [...path, "queue", "maxWait"]) },
      circuitBreaker: {
        failures: input.circuitBreaker.failures,
        coolDownUs: this.#us(input.circuitBreaker.coolDown, [...path, "circuitBreaker", "coolDown"]),
        growth: input.circuitBreaker.growth,
        maxCoolDownUs: this.#us(input.circuitBreaker.maxCoolDown, [...path, "circuitBreaker", "maxCoolDown"]),
      },
      fee: { shareBps, flatMsat: this.#number("money", input.fee.flat, [...path, "fee", "flat"]), ...resolveFeeTerms(input.fee, [...path, "fee"], this.section) },
    };
  }

  #operator(input: OperatorInput, path: Path): OperatorSpec {
    const price = input.price === "free" ? { input: 0, output: 0, fixed: 0, spread: 0 } : input.price;
    const machine = this.#machine(input.machine, [...path, "machine"]);
    const profile = input.profile === undefined ? null : resolveProfile(input.profile, [...path, "profile"], this.section);
    const cataloguePriceUsd = typeof machine === "string" ? this.#names.machinePriceUsd(machine) ?? null : machine === null ? profile?.priceUsd ?? null : null;
    const strategy = resolveStrategy(input, path, this.section);
    const supply = resolveSupply(input, { count: input.count, price, cataloguePriceUsd }, path, this.section);
    if (supply !== null && supply.quote !== null && strategy.rule.kind !== "fixed") {
      this.findings.push({ path: [...path, "quote"], found: `${supply.quote.currency}, with a strategy that sets prices itself`, allowed: "msat, or strategy: fixed" });
    }
    return {
      name: input.name,
      count: input.count,
      machine,
      models: (typeof input.model === "string" ? [input.model] : input.model).map((name) => this.#names.modelName(name) ?? name),
      engine: this.#engine(input.engine, profile, [...path, "engine"]),
      ...(profile === null ? {} : { profile }),
      ...(input.host === undefined ? {} : resolvePlace(input.host)),
      prices: {
        inputMsatPerMtok: this.#number("token price", price.input, [...path, "price", "input"]),
        outputMsatPerMtok: this.#number("token price", price.output, [...path, "price", "output"]),
        fixedMsat: this.#number("money", price.fixed, [...path, "price", "fixed"]),
      },
      priceSpreadCv: this.#number("share", price.spread, [...path, "price", "spread"]),
      regions: this.#regions(input.region, [...path, "region"]),
      queueLimit: jobs(input.queueLimit),
      stakeMsat: this.#number("money", input.stake, [...path, "stake"]),
      attested: input.attested,
      churn: this.#churn(input.churn, [...path, "churn"]),
      electricityMsatPerKwh: meanElectricityMsat(input.electricity, supply, [...path, "electricity"], this.section),
      supply,
      strategy,
      settlement: resolveOperatorSettlement(input, path, this.section),
    };
  }

  #machine(input: OperatorInput["machine"], path: Path): string | MachineSpec | null {
    if (input === undefined) return null;
    if (typeof input === "string") return this.#names.machineName(input) ?? input;
    return {
      name: input.name,
      family: input.family,
      memoryBytes: this.#number("bytes", input.memory, [...path, "memory"]),
      bandwidthBytesPerS: this.#number("bandwidth", input.bandwidth, [...path, "bandwidth"]),
      flopPerS: this.#number("compute", input.compute, [...path, "compute"]),
      idleWatts: this.#number("power", input.power.idle, [...path, "power", "idle"]),
      loadWatts: this.#number("power", input.power.load, [...path, "power", "load"]),
    };
  }

  /** What is not stated is as it was measured, or else as usual. */
  #engine(input: OperatorInput["engine"], profile: ProfileSpec | null, path: Path): EngineSpec {
    const tokens = (value: QuantityInput | undefined, measured: number | null | undefined, usual: number, ...more: PathPart[]): number =>
      value === undefined ? measured ?? usual : this.#number("tokens", value, [...path, ...more]);
    const usualContext = Math.min(usualContextTokens, profile?.model.contextTokensMax ?? usualContextTokens);
    // llama.cpp is what nobody has to say; a profile of another engine says otherwise.
    if (input === "llama.cpp" && profile?.engine === "vllm") return this.#engine("vllm", profile, path);
    if (typeof input === "string") return this.#engine(engineSchema.parse({ [input]: {} }), profile, path);
    if ("llama.cpp" in input) {
      const { slots, context, batch } = input["llama.cpp"];
      return {
        kind: "llama.cpp", slots: slots ?? profile?.slots ?? 4, contextTokens: tokens(context, profile?.contextTokens, usualContext, "llama.cpp", "context"),
        batchTokens: tokens(batch, profile?.batchTokens, usualStepTokens, "llama.cpp", "batch"),
      };
    }
    if ("vllm" in input) {
      const { sequences, stepTokens, context, memoryShare } = input.vllm;
      return {
        kind: "vllm", maxSequences: sequences ?? profile?.slots ?? 256, stepTokens: tokens(stepTokens, profile?.batchTokens, usualStepTokens, "vllm", "stepTokens"),
        contextTokens: tokens(context, profile?.contextTokens, usualContext, "vllm", "context"), memoryShare: this.#number("share", memoryShare, [...path, "vllm", "memoryShare"]),
      };
    }
    if ("sequential" in input) return { kind: "sequential", contextTokens: tokens(input.sequential.context, profile?.contextTokens, usualContext, "sequential", "context") };
    return this.#serviceTime(input["service-time"], [...path, "service-time"]);
  }

  #serviceTime(input: Tagged<OperatorInput["engine"], "service-time">["service-time"], path: Path): EngineSpec {
    const sharing = input.discipline === "processor-sharing";
    const slots = input.slots ?? input.rates?.length ?? (sharing ? maxSlotsSharing : 1);
    if (sharing && input.rates !== undefined) {
      this.findings.push({ path: [...path, "rates"], found: "rates together with processor-sharing", allowed: "one of them: processor sharing is a total speed of 1 however many jobs are in service", atKey: true });
    } else if (input.rates !== undefined && input.rates.length !== slots) {
      this.findings.push({ path: [...path, "rates"], found: `a list of ${input.rates.length} for ${slots} slots`, allowed: "one rate per slot" });
    }
    return {
      kind: "service-time",
      slots,
      serviceUs: this.#distribution("duration", input.service, [...path, "service"]),
      discipline: input.discipline === "priority" ? "priority" : "fifo",
      rates: input.rates ?? Array.from({ length: slots }, (_, i) => sharing ? 1 : i + 1),
    };
  }

  #churn(input: OperatorInput["churn"], path: Path): ChurnSpec {
    const { uptime, downtime, slowdown } = input;
    if ((uptime === undefined) !== (downtime === undefined)) {
      const missing = uptime === undefined ? "uptime" : "downtime";
      this.findings.push({ path: [...path, missing], found: "nothing", allowed: "uptime and downtime together, or neither" });
    }
    return {
      presence: uptime === undefined || downtime === undefined ? null : {
        uptimeUs: this.#distribution("duration", uptime, [...path, "uptime"]),
        downtimeUs: this.#distribution("duration", downtime, [...path, "downtime"]),
        abruptShare: this.#number("share", input.abrupt, [...path, "abrupt"]),
      },
      failureShare: this.#number("share", input.failure, [...path, "failure"]),
      slowdown: slowdown === undefined ? null : {
        everyUs: this.#distribution("duration", slowdown.every, [...path, "slowdown", "every"]),
        lastsUs: this.#distribution("duration", slowdown.lasts, [...path, "slowdown", "lasts"]),
        factor: slowdown.factor,
      },
    };
  }

  #regions(input: OperatorInput["region"], path: Path): Share[] {
    if (typeof input === "string") return [{ region: input, share: 1 }];
    const weights = sortedEntries(input).map(([region, weight]) => ({ region, weight: typeof weight === "number" ? weight : Number(weight.replace("%", "").trim()) }));
    const sum = weights.reduce((total, { weight }) => total + weight, 0);
    if (sum === 0) {
      this.findings.push({ path, found: describeValue(input), allowed: "at least one region with a share above 0, such as {eu: 60 %, us: 40 %}" });
      return [];
    }
    // Whoever writes percentages means parts of a whole; a sum of 150 % is a slip, one of 99 % rounding. Plain numbers are weights.
    if (Math.abs(sum - 100) > 1 && Object.values(input).every((weight) => typeof weight === "string")) {
      this.findings.push({ path, found: `${describeValue(input)}, ${formatNumber(sum)} % in all`, allowed: "percentages that add up to 100 %, or plain numbers as weights, such as {eu: 3, us: 2}" });
    }
    return weights.map(({ region, weight }) => ({ region, share: weight / sum }));
  }

  #client(input: ClientInput, settlement: CompleteInput["settlement"], path: Path): ClientSpec {
    const arrivals = this.#arrivals(input, path);
    const length = (key: "inputTokens" | "outputTokens"): DistributionSpec | "trace" => {
      const value = input.trace === undefined ? input[key] : "trace";
      if (value === undefined && arrivals.kind !== "trace") {
        this.findings.push({ path: [...path, key], found: "nothing", allowed: "a distribution of tokens; only a trace brings its own" });
      }
      if (value !== undefined && value !== "trace") return this.#distribution("tokens", value, [...path, key]);
      if (value === "trace" && arrivals.kind !== "trace") {
        this.findings.push({ path: [...path, key], found: '"trace", without a trace', allowed: "a distribution of tokens, or arrivals from a trace" });
      }
      return "trace";
    };
    return {
      name: input.name,
      count: input.count,
      regions: this.#regions(input.region, [...path, "region"]),
      model: this.#names.modelName(input.model) ?? input.model,
      arrivals,
      inputTokens: length("inputTokens"),
      outputTokens: length("outputTokens"),
      maxOutputTokens: this.#number("tokens", input.maxOutputTokens, [...path, "maxOutputTokens"]),
      ...resolveWorth(input, path, this.section),
      settlement: resolveClientSettlement(input, settlement, path, this.section),
      latencyGoal: this.#goal(input.latencyGoal, [...path, "latencyGoal"]),
      patienceUs: this.#distribution("duration", input.patience, [...path, "patience"]),
      priority: input.priority,
      allowedRegions: input.allowedRegions ?? null,
      minStakeMsat: this.#number("money", input.minStake, [...path, "minStake"]),
      privacy: input.privacy,
      // No way to verify results exists yet, so none can be asked for.
      verification: "none",
    };
  }

  #goal(input: ClientInput["latencyGoal"], path: Path): LatencyGoal {
    return {
      ...(input.ttft === undefined ? {} : { ttftUs: this.#us(input.ttft, [...path, "ttft"]) }),
      ...(input.tpot === undefined ? {} : { tpotUs: this.#us(input.tpot, [...path, "tpot"]) }),
      ...(input.endToEnd === undefined ? {} : { endToEndUs: this.#us(input.endToEnd, [...path, "endToEnd"]) }),
    };
  }

  #arrivals(client: ClientInput, path: Path): ArrivalsSpec {
    if (client.trace !== undefined) return this.#trace(client.trace, [...path, "trace"]);
    const input = client.arrivals;
    const at = [...path, "arrivals"];
    const rate = (value: QuantityInput, ...more: PathPart[]): number => this.#number("rate", value, [...at, ...more]);
    if (input === undefined) {
      this.findings.push({ path: at, found: "nothing", allowed: "arrivals such as {poisson: {rate: 5/s}}, or a trace" });
      return { kind: "regular", ratePerS: 1 };
    }
    if ("regular" in input) return { kind: "regular", ratePerS: rate(input.regular.rate, "regular", "rate") };
    if ("poisson" in input) return { kind: "poisson", ratePerS: rate(input.poisson.rate, "poisson", "rate") };
    if ("gamma" in input) return { kind: "gamma", ratePerS: rate(input.gamma.rate, "gamma", "rate"), cv: input.gamma.cv };
    if ("weibull" in input) return { kind: "weibull", ratePerS: rate(input.weibull.rate, "weibull", "rate"), cv: input.weibull.cv };
    if ("closed" in input) return { kind: "closed", users: input.closed.users, thinkTimeUs: this.#distribution("duration", input.closed.thinkTime, [...at, "closed", "thinkTime"]) };
    if ("trace" in input) return this.#trace(input.trace, [...at, "trace"]);
    if ("mmpp" in input) {
      const states = input.mmpp.states.map((state, i) => ({
        ratePerS: rate(state.rate, "mmpp", "states", i, "rate"),
        meanUs: this.#us(state.lasts, [...at, "mmpp", "states", i, "lasts"]),
      }));
      if (states.every((state) => state.ratePerS === 0)) this.findings.push({ path: [...at, "mmpp", "states"], found: "rates of 0 only", allowed: "at least one state with a rate above 0" });
      return { kind: "mmpp", states };
    }
    return this.#varying(input.varying, [...at, "varying"]);
  }

  #varying(input: Tagged<NonNullable<ClientInput["arrivals"]>, "varying">["varying"], path: Path): ArrivalsSpec {
    const points = input.points.map(([time, rate], i) => ({ atUs: this.#us(time, [...path, "points", i, 0]), ratePerS: this.#number("rate", rate, [...path, "points", i, 1]) }));
    points.forEach(({ atUs }, i) => {
      if (i > 0 && atUs <= points[i - 1]!.atUs) this.findings.push({ path: [...path, "points", i, 0], found: describeValue(input.points[i]![0]), allowed: `later than the point before, ${describeValue(input.points[i - 1]![0])}` });
    });
    const periodUs = input.period === undefined ? null : this.#us(input.period, [...path, "period"]);
    if (periodUs !== null && points.at(-1)!.atUs > periodUs) this.findings.push({ path: [...path, "period"], found: describeValue(input.period), allowed: `at least the last point's time, ${describeValue(input.points.at(-1)![0])}` });
    if (points.every(({ ratePerS }) => ratePerS === 0)) this.findings.push({ path: [...path, "points"], found: "rates of 0 only", allowed: "at least one rate above 0" });
    return { kind: "varying", points, periodUs };
  }

  #trace(input: NonNullable<ClientInput["trace"]>, path: Path): TraceSpec {
    const trace = typeof input === "string" ? { file: input, timeScale: 1 } : input;
    return {
      kind: "trace",
      file: this.#traceFile(typeof input === "string" ? path : [...path, "file"], trace.file),
      format: trace.format ?? null,
      timeScale: trace.timeScale,
      limit: trace.limit ?? null,
    };
  }
}

function jobs(value: number | "unlimited"): number {
  return value === "unlimited" ? unlimitedJobs : value;
}

function policy(input: Exclude<CompleteInput["router"]["policy"], { readonly policy: unknown }>): PolicyOptions {
  const weights = (given: { readonly price?: number | undefined; readonly latency?: number | undefined; readonly load?: number | undefined; readonly reliability?: number | undefined }) =>
    ({ price: given.price ?? 1, latency: given.latency ?? 1, load: given.load ?? 1, reliability: given.reliability ?? 1 });
  if (typeof input === "string") {
    switch (input) {
      case "weighted-score": return { kind: input, weights: weights({}) };
      case "power-of-two": return { kind: input, choices: 2 };
      case "softmax": return { kind: input, temperature: 0.1, weights: weights({}) };
      case "top-n-random": return { kind: input, n: 3, weights: weights({}) };
      default: return { kind: input };
    }
  }
  if ("weighted-score" in input) return { kind: "weighted-score", weights: weights(input["weighted-score"]) };
  if ("power-of-two" in input) return { kind: "power-of-two", choices: input["power-of-two"].choices };
  if ("softmax" in input) return { kind: "softmax", temperature: input.softmax.temperature, weights: weights(input.softmax) };
  return { kind: "top-n-random", n: input["top-n-random"].n, weights: weights(input["top-n-random"]) };
}

/** What an object says does not depend on the order in which it says it. */
function sortedEntries<T>(object: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
