import { describe, it } from "node:test";
import { testScaler } from "@dormouse/conformance";
import { scaler as plugin } from "../src/index.ts";
import { openTestPlatform } from "./open-test-platform.ts";

// Every rule of the contract, one test each, and a scorecard with a badge at the end.
testScaler({ describe, it, plugin, open: openTestPlatform });
