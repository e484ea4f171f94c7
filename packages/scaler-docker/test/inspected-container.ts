import { type InspectedContainer, readInspected } from "../src/docker-answers.ts";

/** Parts of a container as the engine tells it. */
export interface InspectedParts {
  readonly Id?: string;
  readonly Name?: string;
  readonly RestartCount?: number;
  readonly State?: object;
  readonly Config?: object;
  readonly HostConfig?: object;
  readonly NetworkSettings?: object;
}

/** A container as it is read, running unless said otherwise. */
export function inspectedContainer(parts: InspectedParts = {}): InspectedContainer {
  const answer = {
    Id: "0123456789abcdef",
    Name: "/web",
    Created: "2026-01-01T00:00:00Z",
    Image: "sha256:1",
    NetworkSettings: { Networks: {} },
    ...parts,
    State: { Status: "running", StartedAt: "2026-01-02T00:00:00Z", ...parts.State },
    Config: { Image: "web:1", ...parts.Config },
    HostConfig: { NetworkMode: "bridge", ...parts.HostConfig },
  };
  return readInspected(answer, "web");
}
