import type { Fault } from "./fault.ts";
import { clockStep } from "./kinds/clock-step.ts";
import { clientHalfOpen, clientResets } from "./kinds/connections-from-client.ts";
import { serviceHalfOpen, serviceResets } from "./kinds/connections-from-service.ts";
import { fewDescriptors } from "./kinds/few-descriptors.ts";
import { fullDisk } from "./kinds/full-disk.ts";
import { hostKilled } from "./kinds/host-killed.ts";
import { hostStopped } from "./kinds/host-stopped.ts";
import { memoryPressure } from "./kinds/memory-pressure.ts";
import { serviceKilled } from "./kinds/service-killed.ts";
import { serviceStopped } from "./kinds/service-stopped.ts";
import { silentService } from "./kinds/silent-service.ts";
import { slowDns } from "./kinds/slow-dns.ts";

/** All faults, in the order of the table. */
export const faults: readonly Fault[] = [
  hostKilled,
  hostStopped,
  serviceKilled,
  serviceStopped,
  silentService,
  serviceResets,
  serviceHalfOpen,
  clientResets,
  clientHalfOpen,
  fullDisk,
  fewDescriptors,
  slowDns,
  clockStep,
  memoryPressure,
];
