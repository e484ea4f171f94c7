import { testScaler } from "@dormouse/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { scaler as plugin } from "../../src/index.ts";
import { type Arena, openArena } from "./open-arena.ts";

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
});

afterAll(async () => arena[Symbol.asyncDispose]());

// The platform is processes, beside which a small machine may be late.
testScaler({ describe, it, plugin, open: () => arena.platform("statefulset:"), promptly: 10_000 });
