import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorCode } from "../../protocol/messages.ts";
import type { HubStats } from "../link/hub.ts";
import type { UplinkStats } from "../link/uplink.ts";
import type { Runner } from "../../scheduler/environment.ts";
import type { LedgerServer } from "../wallet/ledger-server.ts";
import { Bounded } from "./bounded.ts";
import type { Role, Watcher } from "./watcher.ts";

/** Upper bounds of durations, seconds: of jobs, and of what is a part of one. */
const JOB_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300, 600];
const STAGE_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];
const TOKEN_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** Jobs whose times are remembered, at most: those of a participant that loses jobs are forgotten in turn. */
const JOBS_MAX = 65_536;

const nowS = (): number => performance.now() / 1_000;

/**
 * The metrics of one process, by the conventions of Prometheus: base units, counters that end in `_total`. Every label has few
 * values: none is a job, a peer or a model's name, and of reasons so many are told apart and the rest are `other`.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly role: Role;

  /** @param process whether the process itself is measured too (CPU, memory, event loop, garbage collection). */
  constructor(role: Role, process = true) {
    this.role = role;
    this.registry.setDefaultLabels({ role });
    if (process) collectDefaultMetrics({ register: this.registry });
  }

  /** The numbers of this role's jobs, to be told what happens. */
  watcher(): Watcher {
    switch (this.role) {
      case "client": return this.#client();
      case "router": return this.#router();
      case "node": return this.#node();
      default: return {};
    }
  }

  /** A router's server of connections. */
  hub(stats: Readonly<HubStats>): void {
    this.gauge("infernet_connections", "Connections whose peer is proven.", () => stats.peers);
    this.count("infernet_connections_opened_total", "Connections whose peer was proven.", () => stats.opened);
    this.countBy("infernet_connections_cut_total", "Connections that were turned away or cut off, by the reason.", "reason", () => ({
      "turned-away": stats.turnedAway, replaced: stats.replaced, silent: stats.silent, stuck: stats.stuck, misbehaved: stats.misbehaved,
    }));
    this.count("infernet_envelopes_received_total", "Envelopes that came in, for whomever.", () => stats.received);
    this.count("infernet_envelopes_passed_on_total", "Envelopes passed on to other peers, unopened.", () => stats.passedOn);
    this.count("infernet_envelopes_sent_total", "Envelopes of the process's own that went out.", () => stats.sent);
    this.count("infernet_envelopes_undelivered_total", "Envelopes to peers that were not there.", () => stats.undelivered);
    this.#refused(stats.refused);
  }

  /** A node's or client's connections to routers. */
  uplinks(stats: readonly Readonly<UplinkStats>[], connected: () => number): void {
    const sum = (of: (one: Readonly<UplinkStats>) => number): number => stats.reduce((total, one) => total + of(one), 0);
    this.gauge("infernet_connections", "Routers that it is connected to.", connected);
    this.count("infernet_connections_opened_total", "Connections to routers that were proven.", () => sum(({ opened }) => opened));
    this.count("infernet_connections_lost_total", "Tries to connect that failed, and connections that were lost.", () => sum(({ lost }) => lost));
    this.count("infernet_envelopes_received_total", "Envelopes that came in.", () => sum(({ received }) => received));
    this.count("infernet_envelopes_sent_total", "Envelopes that went out.", () => sum(({ sent }) => sent));
    this.count("infernet_envelopes_undelivered_total", "Messages dropped while there was no connection.", () => sum(({ undelivered }) => undelivered));
    this.countBy("infernet_envelopes_refused_total", "Envelopes that were refused, by the error's code.", "code", () => {
      const all: Record<string, number> = {};
      for (const { refused } of stats) for (const [code, count] of Object.entries(refused)) all[code] = (all[code] ?? 0) + count;
      return all;
    });
  }

  /** What a node's runner has to do. */
  runner(runner: Runner): void {
    this.gauge("infernet_runner_slots", "Jobs that the runner executes at once.", () => runner.slots);
    this.gauge("infernet_runner_running", "Jobs that run.", () => runner.running);
    this.gauge("infernet_runner_waiting", "Jobs that wait for a slot.", () => runner.waiting);
    this.gauge("infernet_runner_kv_tokens", "Tokens of context in the KV cache.", () => runner.kvTokensUsed);
    this.gauge("infernet_runner_kv_tokens_max", "Tokens of context that the KV cache holds.", () => runner.kvTokensMax);
  }

  /** What a wallet could pay. */
  wallet(balanceMsat: () => number): void {
    this.gauge("infernet_wallet_balance_msat", "What the wallet could pay now, millisatoshi.", balanceMsat);
  }

  /** A ledger of play money. */
  ledger(server: LedgerServer): void {
    const { ledger } = server;
    this.gauge("infernet_connections", "Connections, those included that have yet to prove whose they are.", () => server.traffic.connections);
    this.count("infernet_ledger_messages_total", "Messages of wallets.", () => server.traffic.messages);
    this.gauge("infernet_ledger_journal_bytes", "Size of the journal.", () => server.traffic.journalBytes);
    this.gauge("infernet_ledger_accounts", "Accounts.", () => ledger.accountCount);
    this.gauge("infernet_ledger_payments_pending", "Payments in flight or held.", () => ledger.size.pending);
    const money = new Gauge({
      name: "infernet_ledger_msat", help: "Where the money is, millisatoshi.", labelNames: ["in"], registers: [this.registry],
      collect() {
        const { issuedMsat, inFlightMsat, heldMsat, feesMsat } = ledger.sums;
        money.set({ in: "accounts" }, issuedMsat - inFlightMsat - heldMsat - feesMsat);
        money.set({ in: "flight" }, inFlightMsat);
        money.set({ in: "hold" }, heldMsat);
        money.set({ in: "fees" }, feesMsat);
      },
    });
    this.countBy("infernet_ledger_payments_total", "Payments that ended, by their outcome.", "outcome", () => server.outcomes);
  }

  gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.registry], collect() { gauge.set(value()); } });
  }

  /** A counter that somebody else counts. */
  count(name: string, help: string, value: () => number): void {
    const counter: Counter = new Counter({
      name, help, registers: [this.registry], collect() {
        counter.reset();
        counter.inc(value());
      },
    });
  }

  countBy(name: string, help: string, label: string, values: () => Readonly<Record<string, number>>): void {
    const counter: Counter = new Counter({
      name, help, labelNames: [label], registers: [this.registry], collect() {
        counter.reset();
        for (const [value, count] of Object.entries(values())) counter.inc({ [label]: value }, count);
      },
    });
  }

  #refused(refused: Partial<Record<ErrorCode, number>>): void {
    this.countBy("infernet_envelopes_refused_total", "Envelopes that were refused, by the error's code.", "code", () => refused as Record<string, number>);
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[], ...labelNames: string[]): Histogram {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] });
  }

  #jobs(): { readonly jobs: Counter; readonly durations: Histogram } {
    return {
      jobs: this.#counter("infernet_jobs_total", "Jobs that ended, by how.", "status"),
      durations: this.#histogram("infernet_job_duration_seconds", "From the job's coming here to its end here.", JOB_S, "status"),
    };
  }

  #client(): Watcher {
    const { jobs, durations } = this.#jobs();
    const submitted = this.#counter("infernet_jobs_submitted_total", "Jobs that went out.");
    const firstToken = this.#histogram("infernet_time_to_first_token_seconds", "From submission to the first output token.", JOB_S);
    const perToken = this.#histogram("infernet_time_per_output_token_seconds", "Between output tokens after the first, mean of a job.", TOKEN_S);
    const tokens = this.#counter("infernet_tokens_total", "Tokens of jobs whose result came.", "direction");
    const charged = this.#counter("infernet_charged_msat_total", "What results asked for, millisatoshi.", "for");
    const disputes = this.#counter("infernet_disputes_total", "Disputes, by their claim.", "claim");
    const open = new Remembered<{ readonly atS: number; firstS: number }>();
    this.gauge("infernet_jobs_open", "Jobs that have not ended.", () => open.size);
    return {
      ...this.#walletSaid(),
      telemetry: {
        submitted: ({ jobId }) => {
          submitted.inc();
          open.set(jobId, { atS: nowS(), firstS: 0 });
        },
        firstToken: (jobId) => {
          const job = open.get(jobId);
          if (job === undefined || job.firstS > 0) return;
          job.firstS = nowS();
          firstToken.observe(job.firstS - job.atS);
        },
        finished: (jobId, _node, _attempt, inputTokens, outputTokens, amountMsat, feeMsat) => {
          tokens.inc({ direction: "input" }, inputTokens);
          tokens.inc({ direction: "output" }, outputTokens);
          charged.inc({ for: "job" }, amountMsat);
          charged.inc({ for: "fee" }, feeMsat);
          const firstS = open.get(jobId)?.firstS ?? 0;
          if (firstS > 0 && outputTokens > 1) perToken.observe((nowS() - firstS) / (outputTokens - 1));
        },
        ended: (jobId, status) => {
          jobs.inc({ status });
          const job = open.take(jobId);
          if (job !== undefined) durations.observe({ status }, nowS() - job.atS);
        },
        disputed: (_, claim) => disputes.inc({ claim }),
      },
    };
  }

  #router(): Watcher {
    const { jobs, durations } = this.#jobs();
    const assigned = this.#counter("infernet_attempts_total", "Awards of jobs to nodes.");
    const failures = this.#counter("infernet_attempt_failures_total", "Attempts that came to nothing, by the reason.", "reason");
    const messages = this.#counter("infernet_messages_total", "Messages to and from the router itself, by their type.", "direction", "type");
    const tooDear = this.#counter("infernet_jobs_too_dear_total", "Jobs for which no node was left, some by their price alone.");
    const reasons = new Bounded();
    const open = new Remembered<number>();
    let waiting = 0;
    this.gauge("infernet_router_jobs_waiting", "Jobs that wait for a node.", () => waiting);
    this.gauge("infernet_jobs_open", "Jobs at nodes, or waiting.", () => open.size);
    const ended = (jobId: string, status: string): void => {
      const atS = open.take(jobId);
      if (atS === undefined) return;
      jobs.inc({ status });
      durations.observe({ status }, nowS() - atS);
    };
    return {
      ...this.#walletSaid(),
      telemetry: {
        assigned: () => assigned.inc(),
        attemptFailed: (_jobId, _node, _attempt, reason) => failures.inc({ reason: reasons.of(reason) }),
        tooDear: () => tooDear.inc(),
        waitingAtRouter: (change) => { waiting += change; },
      },
      heard: (_, message) => {
        messages.inc({ direction: "in", type: message.type });
        if (message.type === "job" && !open.has(message.job.jobId)) open.set(message.job.jobId, nowS());
        else if (message.type === "result") ended(message.jobId, "completed");
        else if (message.type === "cancel") ended(message.jobId, "cancelled");
      },
      sent: (_, message) => {
        messages.inc({ direction: "out", type: message.type });
        if (message.type === "refuse") ended(message.jobId, message.reason === "attempts-exhausted" ? "failed" : "rejected");
      },
    };
  }

  #node(): Watcher {
    const { jobs, durations } = this.#jobs();
    const failures = this.#counter("infernet_runner_failures_total", "Jobs that the runner failed, by the reason.", "reason");
    const queue = this.#histogram("infernet_queue_seconds", "From the node's handing a job to its runner until it runs.", STAGE_S);
    const prefill = this.#histogram("infernet_prefill_seconds", "From a job's start to its first output token.", STAGE_S);
    const decode = this.#histogram("infernet_decode_seconds", "From a job's first output token to its last.", STAGE_S);
    const perToken = this.#histogram("infernet_time_per_output_token_seconds", "Between output tokens after the first, mean of a job.", TOKEN_S);
    const tokens = this.#counter("infernet_tokens_total", "Tokens of jobs that the runner finished.", "direction");
    const reasons = new Bounded();
    const open = new Remembered<{ readonly atS: number; readonly inputTokens: number; startedS: number; firstS: number }>();
    const ended = (jobId: string, status: string): void => {
      const job = open.take(jobId);
      if (job === undefined) return;
      jobs.inc({ status });
      durations.observe({ status }, nowS() - job.atS);
    };
    return {
      ...this.#walletSaid(),
      runnerTook: ({ jobId, inputTokens }) => open.set(jobId, { atS: nowS(), inputTokens, startedS: 0, firstS: 0 }),
      runnerForgot: (jobId) => ended(jobId, "cancelled"),
      runnerSaid: (event) => {
        const job = open.get(event.jobId);
        if (job === undefined) return;
        switch (event.kind) {
          case "started":
            job.startedS = nowS();
            return queue.observe(job.startedS - job.atS);
          case "first-token":
            job.firstS = nowS();
            return prefill.observe(job.firstS - job.startedS);
          case "finished": {
            tokens.inc({ direction: "input" }, event.inputTokens ?? job.inputTokens);
            tokens.inc({ direction: "output" }, event.outputTokens);
            if (job.firstS > 0) {
              const seconds = nowS() - job.firstS;
              decode.observe(seconds);
              if (event.outputTokens > 1) perToken.observe(seconds / (event.outputTokens - 1));
            }
            return ended(event.jobId, "completed");
          }
          case "failed":
            failures.inc({ reason: reasons.of(event.reason) });
            return ended(event.jobId, "failed");
          default: return;
        }
      },
    };
  }

  #walletSaid(): Watcher {
    const payments = this.#counter("infernet_wallet_payments_total", "What became of payments, to and from this wallet.", "event", "purpose");
    const money = this.#counter("infernet_wallet_msat_total", "Money that came and went, millisatoshi.", "direction", "purpose");
    return {
      walletSaid: ({ kind, purpose, amountMsat }) => {
        payments.inc({ event: kind, purpose });
        if (kind === "paid") money.inc({ direction: "out", purpose }, amountMsat);
        else if (kind === "received") money.inc({ direction: "in", purpose }, amountMsat);
      },
    };
  }
}

/** Times of jobs that are open; the oldest are forgotten where there are too many. */
class Remembered<T> extends Map<string, T> {
  override set(jobId: string, value: T): this {
    super.set(jobId, value);
    if (this.size > JOBS_MAX) this.delete(this.keys().next().value!);
    return this;
  }

  take(jobId: string): T | undefined {
    const value = this.get(jobId);
    this.delete(jobId);
    return value;
  }
}
