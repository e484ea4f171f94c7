import { describe, it } from "vitest";
import { testScaler } from "@dormouse/conformance";
import { EagerClock } from "./memory/eager-clock.ts";
import { capabilitiesWith, memoryTest } from "./memory/memory-test.ts";

// The kit as a plugin author registers it; that it can fail is shown elsewhere.
testScaler({ describe, it, ...memoryTest(new EagerClock(), capabilitiesWith()) });
