import { defineConfig } from "vitest/config";
import { leaveOutWithoutEngine } from "./e2e/docker/leave-out.ts";
import { leaveOutWithoutServer } from "./e2e/kubernetes/leave-out.ts";
import { ScorecardCheck } from "./packages/conformance/scripts/scorecards/scorecard-check.ts";

// Tests run on the sources of every package, without a build, and otherwise resolve as Node does.
const conditions = ["@dormouse/source", "node"];
const fromSource = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

/** How long `expect.poll` polls where the test does not say: as long as anything may take on a busy machine. */
const patient = { expect: { poll: { timeout: 20_000 } } };

export default defineConfig({
  test: {
    pool: "forks",
    teardownTimeout: 30_000,
    reporters: ["default", new ScorecardCheck()],
    // One project after the other, the whole systems of e2e last and alone. Vitest would run order 0 last on two cores.
    projects: [
      {
        ...fromSource,
        test: {
          ...patient,
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "examples/scaleit/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          testTimeout: 10_000,
        },
      },
      {
        ...fromSource,
        test: {
          ...patient,
          name: "package",
          include: ["packages/*/test/**/*.test.ts", "charts/test/**/*.test.ts", "bench/scaleit/**/*.test.ts"],
          exclude: [
            "**/node_modules/**",
            "packages/*/test/docker/**",
            "packages/*/test/kubernetes/**",
            "charts/test/kubernetes/**",
          ],
          // Most of them wait for processes and clocks.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        ...fromSource,
        plugins: [leaveOutWithoutServer()],
        test: {
          ...patient,
          name: "kubernetes",
          include: [
            "packages/*/test/kubernetes/**/*.test.ts",
            "charts/test/kubernetes/**/*.test.ts",
            "e2e/kubernetes/**/*.test.ts",
          ],
          globalSetup: ["e2e/kubernetes/serve-tests.ts"],
          // They wait for a server most of the time. On two cores it and its controllers are late at times: what fails
          // twice in a row is no lateness.
          maxWorkers: 6,
          retry: 1,
          sequence: { groupOrder: 3 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...fromSource,
        plugins: [leaveOutWithoutEngine()],
        test: {
          ...patient,
          name: "docker",
          include: ["packages/*/test/docker/**/*.test.ts", "e2e/docker/**/*.test.ts"],
          globalSetup: ["e2e/docker/serve-tests.ts"],
          // An engine on two cores starts two containers at a time well, and is late beyond that: what fails twice in a
          // row is no lateness.
          maxWorkers: 2,
          retry: 1,
          sequence: { groupOrder: 4 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...fromSource,
        test: {
          ...patient,
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          exclude: ["**/node_modules/**", "e2e/docker/**", "e2e/kubernetes/**"],
          fileParallelism: false,
          sequence: { groupOrder: 5 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
