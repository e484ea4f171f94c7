import { describe, it } from "node:test";
import { testScaler } from "@dormouse/conformance";
import { scaler as plugin } from "@dormouse/scaler-remote";

testScaler({
  describe,
  it,
  plugin,
  open: async () => ({
    options: {
      exec: { command: ["python3", "threads.py"] },
      options: { resources: { web: {}, db: {} } },
    },
    ref: { namespace: "default", name: "web" }, // resources that nobody else scales meanwhile
    other: { namespace: "default", name: "db" },
    close: async () => {},
  }),
});
