import { policies } from "./testing/cases/policies.ts";
import { describeCases } from "./testing/describe-cases.ts";

describeCases(policies);
