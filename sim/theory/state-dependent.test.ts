import { stateDependent } from "./testing/cases/state-dependent.ts";
import { describeCases } from "./testing/describe-cases.ts";

describeCases(stateDependent);
