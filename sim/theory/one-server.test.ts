import { oneServer } from "./testing/cases/one-server.ts";
import { describeCases } from "./testing/describe-cases.ts";

describeCases(oneServer);
