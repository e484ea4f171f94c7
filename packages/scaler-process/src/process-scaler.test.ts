import { contractVersion, defaultPolicy, silentLogger } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { expect, it } from "vitest";
import { scaler as plugin } from "./index.ts";
import { processOptions } from "./process-options.ts";
import { ProcessScaler } from "./process-scaler.ts";

const context = { id: "local", logger: silentLogger, clock: new FakeClock(), defaults: defaultPolicy };

it("is a plugin of the present contract", () => {
  expect(plugin).toMatchObject({ contract: contractVersion, kind: "scaler", name: "process" });
});

it("refuses Windows, and says what to do", async () => {
  const opening = ProcessScaler.open(processOptions.parse({ resources: [] }), context, "win32");
  await expect(opening).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
  await expect(opening).rejects.toThrow("run Dormouse in WSL");
});

it("refuses a folder that it cannot have, before anything starts", async () => {
  const options = processOptions.parse({ resources: [], stateDir: "/dev/null/state" });
  await expect(ProcessScaler.open(options, context)).rejects.toMatchObject({ code: "SCALER_BAD_OPTIONS" });
});
