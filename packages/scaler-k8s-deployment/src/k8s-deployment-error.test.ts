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
    expect(failureOf([waiting(reason, "it said so")], [])).toEqual({
      code,
      message: `pod web-1, container main: ${reason}: it said so (last exit code 3, Error)`,
    });
  });

  it.each(["ContainerCreating", "PodInitializing", ""])("%j is none: they may still come", (reason) =>
    expect(failureOf([waiting(reason)], [])).toBeUndefined(),
  );

  it("is an init container's, too", () => {
    const failing = pod("web-1", {
      initContainerStatuses: [{ name: "migrate", state: { waiting: { reason: "CrashLoopBackOff" } } }],
      containerStatuses: [{ name: "main", state: { waiting: { reason: "PodInitializing" } } }],
    });
    expect(failureOf([failing], [])?.message).toBe("pod web-1, container migrate: CrashLoopBackOff");
  });

  it("is that no node takes them", () => {
    const message = "0/3 nodes are available: 3 Insufficient cpu.";
    const pending = pod("web-1", {
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
    });
    expect(failureOf([pending], [])).toEqual({ code: "SCALER_UNSCHEDULABLE", message: `pod web-1: ${message}` });
  });

  it("is that they may not be made", () => {
    const condition = {
      type: "ReplicaFailure",
      status: "True",
      reason: "FailedCreate",
      message: 'pods "web" is forbidden: exceeded quota: small',
    };
    expect(failureOf([], [condition])?.code).toBe("SCALER_QUOTA");
    expect(failureOf([], [{ ...condition, message: "error looking up service account shop/none" }])?.code).toBe(
      "SCALER_START_FAILED",
    );
    expect(failureOf([], [{ ...condition, status: "False" }])).toBeUndefined();
  });

  it("is told in a text that has an end", () => {
    expect(toCreationFailure("x".repeat(5_000)).message.length).toBeLessThan(510);
  });
});
