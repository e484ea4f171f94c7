import { testScaler } from "@dormouse/conformance";
import { describe, it } from "vitest";
import { scaler as plugin } from "../template/src/index.ts";
import { openTestPlatform } from "../template/test/open-test-platform.ts";

testScaler({ describe, it, plugin, open: openTestPlatform });
