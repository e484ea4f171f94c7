import type { AmbientException } from "./ambient-access.ts";

/** Files that may name a timer or the environment themselves. Each needs a reason that a reviewer accepts. */
export const ambientExceptions: readonly AmbientException[] = [
  {
    file: "packages/scaler-process/src/host-environment.ts",
    name: "process.env",
    reason:
      "a child process inherits its parent's environment, and spawn wants all of it as soon as one variable is added",
  },
  {
    file: "packages/create-scaler/src/bin.ts",
    name: "process.argv",
    reason: "npm create runs it as a command of its own, without the dormouse command",
  },
  {
    file: "packages/scaler-remote/src/child-environment.ts",
    name: "process.env",
    reason: "a remote's program gets the host's variables that its options name, such as PATH, and no others",
  },
];
