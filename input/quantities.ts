import { distribution, quantity } from "./fields.ts";

/*
 * The quantities of scenarios: one instance each, since its name is its key in the JSON Schema. Sections of their own take
 * them from here.
 */

export const duration = quantity("Duration", "duration");
export const positiveDuration = quantity("PositiveDuration", "duration", { positive: true });
export const patientDuration = quantity("DurationOrForever", "duration", { words: ["forever"] });
export const realDuration = quantity("RealDuration", "duration", { real: true });
export const positiveRealDuration = quantity("PositiveRealDuration", "duration", { positive: true, real: true });
export const rate = quantity("Rate", "rate");
export const positiveRate = quantity("PositiveRate", "rate", { positive: true });
export const money = quantity("Money", "money");
export const realMoney = quantity("RealMoney", "money", { real: true });
export const positiveRealMoney = quantity("PositiveRealMoney", "money", { positive: true, real: true });
export const moneyOrUnlimited = quantity("MoneyOrUnlimited", "money", { words: ["unlimited"] });
export const tokenPrice = quantity("TokenPrice", "token price");
export const realTokenPrice = quantity("RealTokenPrice", "token price", { real: true });
export const positiveRealTokenPrice = quantity("PositiveRealTokenPrice", "token price", { positive: true, real: true });
export const energyPrice = quantity("EnergyPrice", "energy price");
export const exchangeRate = quantity("ExchangeRate", "exchange rate", { positive: true });
export const moneyPerTime = quantity("MoneyPerTime", "money per time");
export const trafficPrice = quantity("TrafficPrice", "traffic price");
export const yearlyShare = quantity("YearlyShare", "yearly share", { max: [10, "1000 %/year"] });
export const volatility = quantity("Volatility", "share", { max: [10, "1000 %"] });
export const share = quantity("Share", "share", { max: [1, "100 %"] });
/** A price as a multiple of another, or a mark-up. */
export const multiple = quantity("Multiple", "share", { max: [1000, "100000 %"] });
export const positiveMultiple = quantity("PositiveMultiple", "share", { positive: true, max: [1000, "100000 %"] });
export const tokens = quantity("Tokens", "tokens", { max: [2 ** 31 - 1, "2147483647 tokens"] });
export const positiveTokens = quantity("PositiveTokens", "tokens", { positive: true, max: [2 ** 31 - 1, "2147483647 tokens"] });
export const realTokens = quantity("RealTokens", "tokens", { real: true });
export const positiveRealTokens = quantity("PositiveRealTokens", "tokens", { positive: true, real: true });
export const bytes = quantity("Bytes", "bytes", { positive: true });
export const bandwidth = quantity("Bandwidth", "bandwidth", { positive: true });
export const compute = quantity("Compute", "compute", { positive: true });
export const power = quantity("Power", "power");

export const durations = distribution("DurationDistribution", duration, realDuration, positiveRealDuration);
export const patience = distribution("PatienceDistribution", patientDuration, realDuration, positiveRealDuration);
export const monies = distribution("MoneyDistribution", moneyOrUnlimited, realMoney, positiveRealMoney);
export const tokenPrices = distribution("TokenPriceDistribution", tokenPrice, realTokenPrice, positiveRealTokenPrice);
export const tokenCounts = distribution("TokenDistribution", tokens, realTokens, positiveRealTokens);
