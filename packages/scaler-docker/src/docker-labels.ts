/** What stands before every label of Dormouse. */
export const prefix = "dormouse.dev/";

/** Labels that people write and this scaler reads itself. */
export const userLabels = {
  sleepBy: `${prefix}sleep-by`,
  network: `${prefix}network`,
  protocol: `${prefix}protocol`,
} as const;

/** Labels on containers that this scaler made. By them, and by nothing else, it knows its own. */
export const ownerLabels = {
  /** Name of the resource that the container belongs to, whatever its own name. */
  resource: `${prefix}resource`,
  /** Id of the container that it is one more replica of. */
  replicaOf: `${prefix}replica-of`,
  /** Id of the container that it takes the place of. */
  remadeFrom: `${prefix}remade-from`,
  /** On a container that takes the place of another one: replicas that a wake asks for. */
  wakeReplicas: `${prefix}wake-replicas`,
} as const;

/** Names, without the prefix, that are no keys of a policy. */
export const ownLabelNames: readonly string[] = [...Object.values(userLabels), ...Object.values(ownerLabels)].map(
  (label) => label.slice(prefix.length),
);

/** Labels that Compose writes. */
export const composeLabels = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneOff: "com.docker.compose.oneoff",
} as const;

/** Labels of a container. */
export type Labels = Readonly<Record<string, string>>;

/** Whether anything on the container is meant for Dormouse, a misspelt label too. */
export function hasDormouseLabel(labels: Labels): boolean {
  return Object.keys(labels).some((label) => label.toLowerCase().startsWith(prefix));
}
