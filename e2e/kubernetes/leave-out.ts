import type { Plugin } from "vitest/config";
import { findServer, howToEnable } from "./find-server.ts";

/** Has vitest leave out the tests of a project where there is no Kubernetes for them, and say so in one line. */
export function leaveOutWithoutServer(): Plugin {
  return {
    name: "leave-out-without-kubernetes",
    configureVitest({ project, vitest }) {
      const found = findServer();
      if (found.kind === "none") {
        project.config.include = [];
        vitest.logger.log(
          `Left out: the tests of "${project.name}", since there is ${found.why}. To enable: ${howToEnable}.`,
        );
      } else if (found.kind === "cluster") {
        vitest.logger.log(`The tests of "${project.name}" use the cluster of KUBECONFIG=${found.kubeconfig}.`);
      } else if (!found.hasControllers) {
        vitest.logger.log(
          `Left out: tests of "${project.name}" that need controllers, since there is no kube-controller-manager in ${found.folder}.`,
        );
      }
    },
  };
}
