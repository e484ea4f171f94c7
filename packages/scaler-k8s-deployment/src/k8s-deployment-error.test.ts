import { describe, expect, it } from "vitest";
import { pod } from "../test/objects.ts";
import { failureOf, toCreationFailure } from "./k8s-deployment-error.ts";

const waiting = (reason: string, message?: string) =>
  pod("web-1", {
    containerStatuses: [
      {
        name: "main",
        state: { waiting: { reason, ...(message !== undefined && { message }) } },
        lastState: { terminated: { exitCode: 3, reason: "Error" } },
      },
    ],
  });

const impatient = { now: 0, unschedulableAfterMs: 0 };

describe("why pods cannot start", () => {
  it.each([
    ["CrashLoopBackOff", "SCALER_CRASH_LOOP"],
    ["ImagePullBackOff", "SCALER_IMAGE_PULL"],
    ["ErrImagePull", "SCALER_IMAGE_PULL"],
    ["ErrImageNeverPull", "SCALER_IMAGE_PULL"],
    ["InvalidImageName", "SCALER_IMAGE_PULL"],
    ["CreateContainerConfigError", "SCALER_START_FAILED"],
    ["RunContainerError", "SCALER_START_FAILED"],
  ])("%s is %s, in the platform's words", (reason, code) => {
    expect(failureOf([waiting(reason, "it said so")], [], impatient)).toEqual({
      code,
      message: `pod web-1, container main: ${reason}: it said so (last exit code 3, Error)`,
    });
  });

  it.each(["ContainerCreating", "PodInitializing", ""])("%j is none: they may still come", (reason) =>
    expect(failureOf([waiting(reason)], [], impatient)).toBeUndefined(),
  );

  it("is an init container's, too", () => {
    const failing = pod("web-1", {
      initContainerStatuses: [{ name: "migrate", state: { waiting: { reason: "CrashLoopBackOff" } } }],
      containerStatuses: [{ name: "main", state: { waiting: { reason: "PodInitializing" } } }],
    });
    expect(failureOf([failing], [], impatient)?.message).toBe("pod web-1, container migrate: CrashLoopBackOff");
  });

  it("is that no node takes them, once one had the time to come", () => {
    const message = "0/3 nodes are available: 3 Insufficient cpu.";
    const pending = pod("web-1", {
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
    });
    const now = Date.parse(pending.metadata.creationTimestamp) + 120_000;
    const after = (unschedulableAfterMs: number) => failureOf([pending], [], { now, unschedulableAfterMs });
    expect(after(120_000)).toEqual({ code: "SCALER_UNSCHEDULABLE", message: `pod web-1: ${message}` });
    expect(after(120_001)).toBeUndefined();
  });

  it("is that they may not be made", () => {
    const condition = {
      type: "ReplicaFailure",
      status: "True",
      reason: "FailedCreate",
      message: 'pods "web" is forbidden: exceeded quota: small',
    };
    expect(failureOf([], [condition], impatient)?.code).toBe("SCALER_QUOTA");
    expect(
      failureOf([], [{ ...condition, message: "error looking up service account shop/none" }], impatient)?.code,
    ).toBe("SCALER_START_FAILED");
    expect(failureOf([], [{ ...condition, status: "False" }], impatient)).toBeUndefined();
  });

  it("is told in a text that has an end", () => {
    expect(toCreationFailure("x".repeat(5_000)).message.length).toBeLessThan(510);
  });
});
