import { manyServers } from "./testing/cases/many-servers.ts";
import { describeCases } from "./testing/describe-cases.ts";

describeCases(manyServers);
