import { defineConfig } from "vitest/config";

// Tests run on the sources of every package, without a build.
const conditions = ["@dormouse/source", "node", "import", "module", "default"];
const fromSource = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

export default defineConfig({
  test: {
    pool: "forks",
    projects: [
      {
        ...fromSource,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
          execArgv: ["--conditions=@dormouse/source"],
          testTimeout: 10_000,
        },
      },
      {
        ...fromSource,
        test: {
          name: "package",
          include: ["packages/*/test/**/*.test.ts"],
          execArgv: ["--conditions=@dormouse/source"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        ...fromSource,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          execArgv: ["--conditions=@dormouse/source"],
          fileParallelism: false,
          // After the others: whole systems want the machine for themselves.
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
          teardownTimeout: 30_000,
        },
      },
    ],
  },
});
