import { sha256Hex } from "../../protocol/canonical.ts";
import type { JobRequest, PeerId } from "../../protocol/messages.ts";
import { type Demand, openDemand } from "../demand/index.ts";
import type { Welfare } from "../experiment/welfare/accounts.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Random } from "../kernel/random.ts";
import type { ClientSpec } from "../scenario/scenario.ts";
import { unlimitedMsat } from "../scenario/scenario.ts";
import type { ExchangePath } from "../supply/exchange.ts";
import type { Oracle } from "./oracle.ts";
import { CountedNames } from "./counted-names.ts";
import { WholeDraws } from "./whole-draws.ts";

/** What a client class's demand needs of the world around it. */
export interface DemandHost {
  readonly kernel: Kernel;
  readonly oracle: Oracle;
  /** Hears what jobs are worth; null: nobody keeps account of it. */
  readonly welfare: Welfare | null;
  /** What a bitcoin is worth over time; null: what clients pay and gain is stated in bitcoin, or rates stand still. */
  readonly exchange: ExchangePath | null;
  /** No job is submitted at or after this time. */
  readonly horizonUs: number;
  /** Kernel event kind with which the world calls {@link DemandDriver.arrive}; its payload is (class, 0). */
  readonly arrivalKind: number;
  /** Likewise for {@link DemandDriver.userIsReady}; its payload is (class, user). */
  readonly userKind: number;
  stream(subsystem: string, entity: string, purpose: string): Random;
}

/** A client participant that jobs are dealt to. */
export interface DemandClient {
  readonly id: PeerId;
  readonly region: string;
  /** @returns false where the client's budget forbids it: nothing was posted. */
  submit(request: JobRequest): boolean;
}

/** The prompts of a simulation have no text. */
const NO_PROMPT = sha256Hex("");
/** A job's service time is unknown to the engine until it asks. */
const TOKENS_MAX = 2 ** 31 - 1;

/** Turns a client class of the scenario into jobs at its client participants. */
export class DemandDriver {
  readonly #host: DemandHost;
  readonly #index: number;
  readonly #spec: ClientSpec;
  readonly #clients: readonly DemandClient[];
  readonly #demand: Demand;
  readonly #maxPriceMsat: WholeDraws;
  /** null: a job is worth as much as its maximum price. */
  readonly #valueMsat: WholeDraws | null;
  readonly #patienceUs: WholeDraws;
  readonly #work: Random;
  readonly #jobIds: CountedNames;
  #submitted = 0;
  /** An arrival that is planned and not submitted yet. */
  #inputTokens = 0;
  #outputTokens = 0;

  /** @param index the class's place among the scenario's client classes. */
  constructor(host: DemandHost, index: number, spec: ClientSpec, clients: readonly DemandClient[]) {
    this.#host = host;
    this.#index = index;
    this.#spec = spec;
    this.#clients = clients;
    const stream = (purpose: string) => host.stream("demand", spec.name, purpose);
    this.#demand = openDemand(spec, stream);
    this.#maxPriceMsat = new WholeDraws(spec.maxPriceMsat, stream("max price"), 0);
    this.#valueMsat = spec.worth.valueMsat === null ? null : new WholeDraws(spec.worth.valueMsat, stream("value"), 0);
    this.#patienceUs = new WholeDraws(spec.patienceUs, stream("patience"), 0);
    this.#work = stream("work");
    this.#jobIds = new CountedNames(`${spec.name}-`, 0);
  }

  start(): void {
    const { kernel, horizonUs, userKind } = this.#host;
    if (this.#demand.kind === "open") return this.#planArrival();
    const { loop } = this.#demand;
    for (let user = 0; user < loop.users; user++) {
      const atUs = loop.firstUs(user);
      if (atUs < horizonUs) kernel.at(atUs, userKind, this.#index, user);
    }
  }

  /** The planned arrival is due. */
  arrive(): void {
    this.#submit(this.#inputTokens, this.#outputTokens, -1);
    this.#planArrival();
  }

  /** A user of a closed loop has thought enough. */
  userIsReady(user: number): void {
    if (this.#demand.kind !== "closed") throw new Error("only a closed loop has users");
    const { inputTokens, outputTokens } = this.#demand.lengths.next();
    this.#submit(inputTokens, outputTokens, user);
  }

  /** A job of this class ended; its user, if it has one, thinks. */
  jobEnded(user: number): void {
    if (user < 0 || this.#demand.kind !== "closed") return;
    const { kernel, horizonUs, userKind } = this.#host;
    const atUs = this.#demand.loop.nextUs(user, kernel.nowUs);
    if (atUs < horizonUs) kernel.at(atUs, userKind, this.#index, user);
  }

  /** Gives files back. */
  close(): void {
    if (this.#demand.kind === "open") this.#demand.jobs.close();
  }

  #planArrival(): void {
    if (this.#demand.kind !== "open") return;
    const { jobs } = this.#demand;
    if (!jobs.next() || jobs.timeUs >= this.#host.horizonUs) return jobs.close();
    this.#inputTokens = jobs.inputTokens;
    this.#outputTokens = jobs.outputTokens;
    this.#host.kernel.at(jobs.timeUs, this.#host.arrivalKind, this.#index, 0);
  }

  #submit(inputTokens: number, outputTokens: number, user: number): void {
    const spec = this.#spec;
    const client = this.#clients[this.#submitted++ % this.#clients.length]!;
    const jobId = this.#jobIds.next();
    const { maxPriceShare, choice } = spec.worth;
    let valueMsat = this.#valueMsat === null ? -1 : this.#valueMsat.next();
    let maxPriceMsat = maxPriceShare === null ? this.#maxPriceMsat.next() : Math.floor(valueMsat * maxPriceShare);
    if (this.#host.exchange !== null) {
      const relative = this.#host.exchange.relativeAt(this.#host.kernel.nowUs);
      valueMsat = valueMsat < 0 ? valueMsat : Math.min(unlimitedMsat, Math.floor(valueMsat / relative));
      maxPriceMsat = Math.min(unlimitedMsat, Math.floor(maxPriceMsat / relative));
    }
    if (valueMsat < 0) valueMsat = maxPriceMsat;
    const request: JobRequest = {
      jobId,
      client: client.id,
      model: spec.model,
      inputTokens: Math.min(TOKENS_MAX, inputTokens),
      maxOutputTokens: spec.maxOutputTokens,
      maxPriceMsat,
      latencyGoal: spec.latencyGoal,
      patienceUs: this.#patienceUs.next(),
      priority: spec.priority,
      region: client.region,
      minStakeMsat: spec.minStakeMsat,
      privacy: spec.privacy,
      verification: spec.verification,
      promptHash: NO_PROMPT,
    };
    if (spec.allowedRegions !== null) request.allowedRegions = [...spec.allowedRegions];
    if (choice !== null) request.choice = choice.rule === "logit" && choice.outsideMsat === -1 ? { ...choice, outsideMsat: maxPriceMsat } : choice;
    const { oracle, welfare, kernel } = this.#host;
    const slot = oracle.add(jobId, this.#index, user, outputTokens, spec.maxOutputTokens, Math.floor(this.#work.next() * 2 ** 32));
    const tokens = Math.min(outputTokens, spec.maxOutputTokens);
    if (client.submit(request)) {
      welfare?.offered(slot, kernel.nowUs, this.#index, valueMsat, request.inputTokens, tokens);
    } else {
      welfare?.withheld(slot, kernel.nowUs, this.#index, valueMsat, request.inputTokens, tokens);
      oracle.end(slot);
      this.jobEnded(user);
    }
  }
}
