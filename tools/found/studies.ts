import { crowd, crowdArms } from "./flash-crowd.ts";
import { about, askedLast, askedMean, jobsBy, list, percent, profitMsat, reached, revenueMsat, sat, seconds, surpluses, trustLost, trustLostMsat, ttftP95Us, welfareOf } from "./figures.ts";
import type { Study } from "./study.ts";

/** Prices of `pricing-sensitivity` by their multiple of 12 sat per million prompt tokens and 96 per million output tokens. */
const PRICES: readonly (readonly [multiple: number, input: number, output: number])[] = [
  [0.25, 3, 24], [0.5, 6, 48], [0.7, 8.4, 67.2], [0.75, 9, 72], [1, 12, 96], [1.4, 16.8, 134.4], [2, 24, 192], [2.8, 33.6, 268.8], [4, 48, 384],
];

const FEES = [0, 200, 300, 400, 500, 600];

const shock = ["thrifty", "hungry"];
const noShock = shock.map((name) => `operators.${name}.electricity=0.20 USD/kWh`);
const costPlus = shock.map((name) => `operators.${name}.strategy={cost-plus: {markup: 660 %}}`);

/** What the economy's scenarios say they found. */
export const STUDIES: readonly Study[] = [
  {
    scenario: "router-fee", quick: true,
    arms: Object.fromEntries(FEES.map((fee) => [String(fee), { sets: [`router.fee.flat=${fee} msat`] }])),
    says: (of) => {
      const reports = FEES.map((fee) => of(String(fee)).report);
      return [`revenue of ${list(reports.map(({ overall }) => sat(overall.feesMsat)))} sat from ${about(reports[0]!.overall.jobs.submitted, 1)} jobs asked for, at fees of ${list(FEES.map(String))} msat; ${list(reports.map((report) => percent(reached(report))))} % of the possible gains are reached`];
    },
  },
  {
    scenario: "pay-before-or-after", quick: true,
    arms: { postpay: {}, prepay: { sets: ["settlement=prepay"] }, escrow: { sets: ["settlement=escrow"] }, streaming: { sets: ["settlement=streaming"] } },
    says: (of) => {
      const [postpay, prepay, escrow, streaming] = [of("postpay").report, of("prepay").report, of("escrow").report, of("streaming").report];
      const exposed = (report: typeof prepay): string => (report.settlement!.exposure.paidUndelivered.meanMsat / 1_000).toFixed(1);
      return [
        `nodes lose ${percent(trustLost(postpay, "node"), 1)} % of what they deliver`,
        `Before work, nodes lose nothing and clients ${percent(trustLost(prepay, "client"), 1)} %`,
        `the ${(trustLostMsat(prepay, "client", "node-failed") / 1_000).toFixed(1)} sat of ${(trustLostMsat(prepay, "client") / 1_000).toFixed(1)} that went to nodes that vanish, and leaves them exposed with ${exposed(escrow)} sat on average instead of ${exposed(prepay)}`,
        `Streaming costs clients ${percent(trustLost(streaming, "client"), 1)} %`,
        `${jobsBy(streaming, "unpaid")} jobs are turned away for want of payment, and ${jobsBy(prepay, "unpaid")} before work or in escrow`,
        `${seconds(prepay.overall.latency.ttftUs.p50!, 2)} s in place of ${seconds(postpay.overall.latency.ttftUs.p50!, 2)} s`,
        `before work and in escrow ${percent(reached(prepay))} % of the possible is reached, with streaming ${percent(reached(streaming))} %`,
      ];
    },
  },
  {
    scenario: "escrow-or-streaming", quick: true,
    arms: {
      escrow: { sets: ["settlement=escrow"] }, "64": { sets: ["settlement.streaming.every=64"] }, "256": {}, "1024": { sets: ["settlement.streaming.every=1024"] },
      shallow: { sets: ["settlement=escrow", "operators.nodes.channel.capacity=100 sat"] },
    },
    says: (of) => {
      const escrow = of("escrow").report;
      const chunks = ["1024", "256", "64"].map((arm) => of(arm).report);
      const routing = ({ settlement }: typeof escrow): string => percent((settlement!.routing.nodesMsat + settlement!.routing.clientsMsat) / settlement!.deliveredMsat, 2);
      const { held, costMsat } = escrow.settlement!.locked;
      const shallow = of("shallow").report;
      return [
        `escrow locks ${sat(held.meanMsat)} sat on average and leaves clients exposed to ${sat(escrow.settlement!.exposure.paidUndelivered.meanMsat)} sat`,
        `thieves get ${percent(trustLost(escrow, "client"), 1)} % of the value delivered`,
        `cuts that to ${list(chunks.map((report) => percent(trustLost(report, "client"), 1)))} %, with ${list(chunks.map(({ settlement }) => sat(settlement!.exposure.paidUndelivered.meanMsat)))} sat exposed`,
        `${list(chunks.map(({ settlement, allJobs }, i) => (settlement!.payments.arrived / allJobs.completed).toFixed(i === 0 ? 1 : 0)))} per completed job`,
        `${list(chunks.map(routing))} % of the value delivered against ${routing(escrow)} % in escrow`,
        `${costMsat} msat in two hours, and ${about(escrow.settlement!.channels!.costMsat, 10)} msat for the channels`,
        `Escrow and small chunks reach ${percent(reached(escrow))} % of what is possible, chunks of 1,024 tokens ${percent(reached(chunks[0]!))} %`,
        `${about(jobsBy(shallow, "payment-failed: no-liquidity"), 1)} of ${about(shallow.overall.jobs.submitted, 1)} jobs fail because no more can be locked`,
      ];
    },
  },
  {
    scenario: "base-fee-or-auction",
    arms: {
      base: {}, eight: { sets: ["pricing={call-for-bids: {payment: second-price}}"] }, two: { sets: ["pricing={call-for-bids: {payment: second-price, invited: 2}}"] }, continuous: { sets: ["pricing=continuous"] },
    },
    says: (of) => {
      const [base, eight, continuous] = [of("base").report, of("eight").report, of("continuous").report];
      const kept = (report: typeof base): string => percent(welfareOf(report).consumerSurplusMsat / welfareOf(report).firstBestMsat);
      return [
        `the auctions reach ${percent(reached(eight))} % of what is possible, the base fee ${percent(reached(base))} %`,
        `RTX 3060 ${percent(base.operatorClasses.find(({ name }) => name === "rtx3060")!.utilisation!)} % busy`,
        `within ${seconds(ttftP95Us(base), 1)} s at the 95th percentile, against ${seconds(ttftP95Us(eight), 1)} s`,
        `Clients keep ${kept(base)} % of the possible gain under the base fee and ${kept(eight)} % with auctions`,
        `costs ${percent(reached(eight) - reached(of("two").report))} % of the gain`,
        `${percent(reached(continuous))} %, and ${seconds(ttftP95Us(continuous), 1)} s`,
      ];
    },
  },
  {
    scenario: "pricing-sensitivity",
    arms: Object.fromEntries(PRICES.map(([multiple, input, output]) => [String(multiple), { sets: [`pricing={network: {price: {input: ${input} sat/Mtok, output: ${output} sat/Mtok}}}`] }])),
    says: (of) => PRICES.map(([multiple]) => {
      const { report } = of(String(multiple));
      const { consumerSurplusMsat, totalMsat, shareReached } = welfareOf(report);
      return [`x ${multiple}`, about(report.overall.jobs.completed, 100), `${seconds(ttftP95Us(report), 1)} s`, sat(revenueMsat(report)), sat(profitMsat(report)), sat(consumerSurplusMsat), sat(totalMsat), `${percent(shareReached!)} %`].join(" ");
    }),
  },
  {
    scenario: "free-entry",
    arms: { few: {}, many: { sets: ["operators.rtx3090.count=40"] }, price: { sets: ["operators.rtx3090.price.output=1.20 USD/Mtok"] }, demand: { sets: ["clients.chat.arrivals.poisson.rate=1800/h"] } },
    says: (of) => {
      const [few, many] = [of("few").report, of("many").report];
      const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"];
      const machines = ({ supply, horizonUs, warmupUs }: typeof few): number => profitMsat({ supply } as typeof few) / supply!.operatorClasses[0]!.profitMsatPerHour! / ((horizonUs - warmupUs) / 3.6e9);
      for (const report of [few, many]) if (Math.floor(machines(report)) !== 7) return [`${machines(report)} machines instead of seven or eight`];
      return [
        "the market comes to seven or eight within a week",
        `falls from ${sat(few.supply!.overTime![0]!.profitMsatPerHour[0]!)} sat to ${sat(few.supply!.operatorClasses[0]!.profitMsatPerHour!)}, little above the outside option of ${sat(few.supply!.entry![0]!.outsideMsatPerHour!)}`,
        `busy ${percent(few.operatorClasses[0]!.utilisation!)} % of the time`,
        `${words[Math.round(machines(of("price").report))]} machines share the same work`,
        `twice the demand, and ${words[Math.round(machines(of("demand").report))]} do`,
      ];
    },
  },
  {
    scenario: "electricity-shock",
    arms: { shock: {}, calm: { sets: noShock }, passed: { sets: costPlus }, passedCalm: { sets: [...noShock, ...costPlus] } },
    says: (of) => {
      const [before, after, calm, passed, passedCalm] = [of("calm").report, of("shock").report, of("calm").report, of("passed").report, of("passedCalm").report];
      const [lost, operatorsLost] = surpluses(before, after);
      const [lostPassed, operatorsLostPassed] = surpluses(passedCalm, passed);
      return [
        `pass-through ${after.structure.passThrough.slope!.toFixed(2)}`,
        `the time to first token is ${seconds(ttftP95Us(after), 1)} s, against ${seconds(ttftP95Us(calm), 1)} s without a shock, and ${about(jobsBy(after, "router-wait-too-long"), 100)} of ${about(after.overall.jobs.submitted, 1_000)} jobs find no room`,
        `${passed.structure.passThrough.slope!.toFixed(1)} msat for each msat`,
        `the Lerner index stays at ${passed.structure.lerner!.toFixed(2)}`,
        `the 95th percentile stays at ${seconds(ttftP95Us(passed), 1)} s`,
        `clients lose ${about(lostPassed / 1_000, 1_000)} sat of surplus then, and only ${about(lost / 1_000, 1_000)} sat at fixed prices`,
        `falls by ${about(operatorsLost / 1_000, 1_000)} sat instead of rising by ${about(-operatorsLostPassed / 1_000, 1_000)} sat`,
      ];
    },
  },
  {
    scenario: "fiat-or-sat",
    arms: Object.fromEntries([1, 2, 3, 4, 5].map((seed) => [String(seed), { seed }])),
    says: (of) => {
      const reports = [1, 2, 3, 4, 5].map((seed) => of(String(seed)).report);
      const shares = reports.map((report) => report.operatorClasses.find(({ name }) => name === "in-sat")!.revenueMsat / revenueMsat(report));
      const party = ({ supply }: (typeof reports)[0], name: string): { gainMsat: number; movedMsat: number } => supply!.exchange!.parties.find((one) => one.name === name)!;
      return [
        `in 60 days some ${sat(party(reports[0]!, "in-usd").movedMsat)} sat moved between quote and payment`,
        `${percent(Math.min(...shares))} % to ${percent(Math.max(...shares))} % of the revenue, and lose ${about(-reports.reduce((sum, report) => sum + party(report, "in-sat").gainMsat, 0) / 1_000, 1_000)} sat by the rate in all`,
      ];
    },
  },
  {
    scenario: "price-war",
    arms: {
      three: {}, two: { sets: ["operators.gpu.count=2"] }, ten: { sets: ["operators.gpu.count=10"] }, utilisation: { sets: ["operators.gpu.strategy=utilisation"] },
      exp3: { sets: ["operators.gpu.strategy={exp3: {}}"] }, fixed: { sets: ["operators.gpu.strategy=fixed"] },
    },
    says: (of) => {
      const hourly = (arm: string): [string, string] => {
        const { report } = of(arm);
        const gpu = report.operatorClasses[0]!;
        const nodeHours = (gpu.nodes * (report.horizonUs - report.warmupUs)) / 3.6e9;
        return [sat(gpu.revenueMsat / nodeHours), sat(gpu.electricityMsat! / nodeHours)];
      };
      const surplus = (arm: string): string => about(welfareOf(of(arm).report).consumerSurplusMsat / 1_000, 10);
      for (const arm of ["two", "ten"]) if (askedMean(of(arm).report) !== askedMean(of("three").report)) return [`${arm} operators end at another price than three`];
      return [
        `at marginal cost: ${sat(askedMean(of("three").report))} sat instead of 200`,
        `${surplus("three")} against ${surplus("fixed")} sat`,
        `a node takes in ${hourly("three")[0]} sat an hour and burns ${hourly("three")[1]}`,
        `(${sat(askedMean(of("utilisation").report))} sat, ${hourly("utilisation")[0]} sat an hour against ${hourly("utilisation")[1]} for electricity) or learning (${sat(askedMean(of("exp3").report))} sat)`,
      ];
    },
  },
  {
    scenario: "monopolist",
    arms: {
      alone: {}, two: { sets: ["operators.seller.count=2"] }, five: { sets: ["operators.seller.count=5"] }, truthful: { sets: ["operators.seller.strategy=truthful"] },
      exp3: { sets: ["operators.seller.strategy={exp3: {grid: {from: 15 %, to: 95 %, steps: 9}}}"] },
    },
    says: (of) => {
      const alone = of("alone").report;
      const { consumerSurplusMsat, operatorSurplusMsat } = welfareOf(alone);
      const best = alone.asks!.operatorClasses[0]!.choices.reduce((a, b) => (b.share > a.share ? b : a));
      if (Math.round(best.share * 10) !== 9 || Math.round(4 * (1 - reached(alone))) !== 1) return [`the best price has a share of ${best.share}, and ${reached(alone)} is reached`];
      return [
        `alone, it asks ${Math.round(200 * best.multiple)} msat nine tenths of the time`,
        `Users are left with ${about(consumerSurplusMsat / 1_000, 10)} sat where a price at cost would leave them ${about(welfareOf(of("truthful").report).consumerSurplusMsat / 1_000, 50)}; the seller makes ${about(operatorSurplusMsat / 1_000, 100)} sat of it, and a quarter of what was possible is lost`,
        `Two who learn side by side end at ${Math.round(askedLast(of("two").report, "fixedMsat"))} msat, five at ${about(askedLast(of("five").report, "fixedMsat"), 10)}`,
        `takes in ${percent(1 - revenueMsat(of("exp3").report) / revenueMsat(alone))} % less`,
      ];
    },
  },
  {
    scenario: "flash-crowd", rows: true,
    arms: crowdArms,
    says: (of) => Object.keys(crowdArms).map((name) => crowd(name, of(name))),
  },
];
