import type { ErrorCode, Milliseconds, ResourceFailure } from "@dormouse/core";
import type { Condition, ContainerStatus, PodObject } from "./objects.ts";

/** Longest text of the platform that is passed on. */
const longestMessage = 500;

/** What a container waits for that will not come by itself, by the kubelet's reason. */
const waitingCodes: Readonly<Record<string, ErrorCode>> = {
  CrashLoopBackOff: "SCALER_CRASH_LOOP",
  ErrImagePull: "SCALER_IMAGE_PULL",
  ErrImageNeverPull: "SCALER_IMAGE_PULL",
  ImagePullBackOff: "SCALER_IMAGE_PULL",
  InvalidImageName: "SCALER_IMAGE_PULL",
  ImageInspectError: "SCALER_IMAGE_PULL",
  RegistryUnavailable: "SCALER_IMAGE_PULL",
  CreateContainerConfigError: "SCALER_START_FAILED",
  CreateContainerError: "SCALER_START_FAILED",
  RunContainerError: "SCALER_START_FAILED",
};

/** A node may be on its way for a pod that none takes. */
export interface SchedulingPatience {
  /** Epoch ms. */
  readonly now: number;
  /** After so long since its making a pod that no node takes cannot start. */
  readonly unschedulableAfterMs: Milliseconds;
}

/**
 * Why a workload's pods cannot start, as the platform says it: by the pods themselves, else by what keeps them from being
 * made. Undefined while they may still come.
 *
 * @param pods those that no stop has taken yet
 * @param conditions of the workload and of its ReplicaSets
 */
export function failureOf(
  pods: readonly PodObject[],
  conditions: readonly Condition[],
  patience: SchedulingPatience,
): ResourceFailure | undefined {
  for (const pod of pods) {
    const failure = podFailure(pod, patience);
    if (failure !== undefined) return failure;
  }
  return creationFailure(conditions);
}

function podFailure(
  { metadata: { name, creationTimestamp }, status }: PodObject,
  { now, unschedulableAfterMs }: SchedulingPatience,
): ResourceFailure | undefined {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const each of statuses) {
    const failure = containerFailure(name, each);
    if (failure !== undefined) return failure;
  }
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  if (now - Date.parse(creationTimestamp) < unschedulableAfterMs) return undefined;
  return failure("SCALER_UNSCHEDULABLE", `pod ${name}: ${scheduled.message ?? "Unschedulable"}`);
}

function containerFailure(pod: string, { name, state, lastState }: ContainerStatus): ResourceFailure | undefined {
  const { reason = "", message } = state?.waiting ?? {};
  const code = waitingCodes[reason];
  if (code === undefined) return undefined;
  const exit = lastState?.terminated;
  const ended =
    exit === undefined
      ? ""
      : ` (last exit code ${String(exit.exitCode ?? "unknown")}${exit.reason === undefined ? "" : `, ${exit.reason}`})`;
  return failure(
    code,
    `pod ${pod}, container ${name}: ${reason}${message === undefined ? "" : `: ${message}`}${ended}`,
  );
}

/** A ReplicaSet or a StatefulSet that may not make its pods: quota, admission, a missing account. */
function creationFailure(conditions: readonly Condition[]): ResourceFailure | undefined {
  const condition = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  return condition === undefined
    ? undefined
    : toCreationFailure(condition.message ?? condition.reason ?? "FailedCreate");
}

/** What a controller says when it may not make a pod. */
export function toCreationFailure(message: string): ResourceFailure {
  return failure(
    /exceeded quota|forbidden: maximum|limited: /i.test(message) ? "SCALER_QUOTA" : "SCALER_START_FAILED",
    message,
  );
}

function failure(code: ErrorCode, message: string): ResourceFailure {
  return { code, message: message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message };
}
