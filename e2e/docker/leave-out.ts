import type { Plugin } from "vitest/config";
import { findEngine, howToEnable } from "./find-engine.ts";

/** Has vitest leave out the tests of a project where there is no Docker Engine for them, and say so in one line. */
export function leaveOutWithoutEngine(): Plugin {
  return {
    name: "leave-out-without-docker",
    configureVitest({ project, vitest }) {
      const found = findEngine();
      if (found.kind === "engine") {
        vitest.logger.log(`The tests of "${project.name}" use the Docker Engine at ${found.socket}.`);
      }
      if (found.kind !== "none") return;
      project.config.include = [];
      vitest.logger.log(
        `Left out: the tests of "${project.name}", since there is ${found.why}. To enable: ${howToEnable}.`,
      );
    },
  };
}
